"""Files made of a run: the processes that make them, their notes, the report; knows no streamlit."""
