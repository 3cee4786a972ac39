"""Entry of the dashboard: the script that the server runs for every page (`lsr_app.serve.run`)."""

from __future__ import annotations

import streamlit as st

from lsr_app import ahead
from lsr_app.shell import style

ahead.finish_imports()
from lsr_app import trouble  # noqa: E402
from lsr_app.plots import theme  # noqa: E402
from lsr_app.shell import controls, keys, pages, show, sidebar, state  # noqa: E402
from lsr_app.words import formats, texts  # noqa: E402

# Drawn here because a browser fetches a named icon from a host on the internet.
ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke-width="3" stroke-linecap="round">'
    f'<path d="M3 5h18" stroke="{theme.LIGHT.network}"/>'
    f'<path d="M3 5c6 0 6 14 18 14" stroke="{theme.LIGHT.refined}"/></svg>'
)
st.set_page_config(page_title=texts.PRODUCT, page_icon=ICON, layout="wide")
links = [
    st.Page(pages.script(name), title=screen.title, icon=screen.icon, url_path=name, default=name == pages.HOME)
    for name, screen in pages.found().items()
]
page = st.navigation(links, position="hidden")
trouble.watch()
state.begin()
state.at_page(page.url_path)
style.styles()
selected = controls.select()
sidebar.draw(selected, links, page.url_path)
keys.bind(selected)
state.finish()
remarks = st.container(gap="small")
show.remarks(remarks, told := state.messages())
if selected.trouble:
    remarks.error(formats.markdown(selected.trouble), icon=":material/error:")
for sentence in selected.damage:
    remarks.warning(formats.markdown(texts.damaged_part(sentence)), icon=":material/error:")
show.scroll_to_top(state.to_top())
page.run()
if (pages.found()[page.url_path or pages.HOME]).group == "run":
    sidebar.rank_within_reach(selected)
show.remarks(remarks, [message for message in state.messages() if message not in told])  # found by the page itself
state.finish()
