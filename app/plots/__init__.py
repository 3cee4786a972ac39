"""Figures that several pages draw, and what all figures share; know no streamlit."""
