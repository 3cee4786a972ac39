"""What is read of runs and problems, checked and put into the form that pages and figures need; knows no streamlit."""
