"""Entry of the dashboard: `streamlit run app/main.py`, or `lsr dashboard`."""

from __future__ import annotations

import streamlit as st

from lsr_app import controls, formats, show, state, texts

st.set_page_config(page_title=texts.PRODUCT, page_icon=":material/conversion_path:", layout="wide")
pages = {
    name: st.Page(f"views/{script}.py", title=title, icon=icon, url_path=name, default=name == "overview")
    for (name, (title, icon)), script in zip(
        texts.PAGES.items(), ("overview", "rank", "error_fields", "loss_path", "export"), strict=True
    )
}
page = st.navigation(list(pages.values()), position="hidden")
state.begin()
show.styles()
selected = controls.select()
controls.sidebar(selected, list(pages.values()))
state.finish()
for message in state.messages():
    st.warning(formats.markdown(message), icon=":material/info:")
if selected.trouble:
    st.error(formats.markdown(selected.trouble), icon=":material/error:")
if state.to_top():
    show.scroll_to_top()
page.run()
state.finish()
