"""The type scale and the spacing of pages; colours come from the theme."""

from __future__ import annotations

import streamlit as st

from lsr_app.plots import theme


def styles() -> None:
    """The type scale and the spacing of the page; colours come from the theme."""
    colours = theme.palette()
    variables = (
        f":root{{--lsr-muted:{colours.muted};--lsr-accent:{colours.refined};--lsr-network:{colours.network};"
        f"--lsr-warn:{colours.stepped};--lsr-surface:{colours.surface};--lsr-line:{colours.grid};--lsr-truth:{colours.truth};"
        f"--lsr-button:{colours.button}}}"
    )
    st.html(f"<style>{variables}{_CSS}</style>")


def large_type() -> None:
    """Type that can be read from the last row, and nothing beside the page."""
    st.html(
        "<style>html{font-size:21px !important}.stSidebar,[data-testid=stExpandSidebarButton]{display:none}</style>"
    )


_CSS = """
.st-key-keys{display:none}
.st-key-to_top{position:absolute;top:0;left:0;width:1px;height:1px;overflow:hidden;visibility:hidden}
@media (max-width:640px){[class*="st-key-group_"] [data-testid="stColumn"]{min-width:calc(50% - .5rem);flex:0 1 calc(50% - .5rem)}
 [data-testid="stHorizontalBlock"]{row-gap:.75rem}
 .lsr-table caption{max-width:calc(100vw - 2.4rem)} .lsr-value{font-size:1.35rem}.lsr-numbers{gap:.7rem 1.6rem}}
@media (max-width:480px){[class*="st-key-group_"] [data-testid="stColumn"]:has(.heatmaplayer){min-width:100%;flex:1 1 100%}}
.st-key-rank_here{display:none}
@media (max-width:768px){.st-key-rank_here{display:block;position:fixed;left:0;right:0;bottom:0;z-index:90;padding:.2rem 1rem .5rem;
 background:var(--lsr-surface);border-top:1px solid var(--lsr-line)} .stMainBlockContainer{padding-bottom:8rem}}
.stSidebar [data-testid="stSidebarUserContent"]{padding-bottom:2rem}
.stMainBlockContainer{padding-top:3.6rem;padding-bottom:4rem;max-width:1240px}
.lsr-title{font-size:1.75rem;font-weight:650;line-height:1.2;margin:0;padding:0;overflow-wrap:anywhere}
.lsr-section{font-size:1.3rem;font-weight:620;margin:0;padding:0}
.lsr-figure{font-size:1.05rem;font-weight:600;margin:.4rem 0 0;padding:0}
.lsr-lead{color:var(--lsr-muted);margin:.15rem 0 0;max-width:75ch;overflow-wrap:anywhere}
[data-testid="stPlotlyChart"]{contain:layout style}
.lsr-panel{font-size:.86rem;font-weight:600;margin:.2rem 0 0}
.lsr-caption{color:var(--lsr-muted);font-size:.86rem;line-height:1.4;margin:0;max-width:95ch}
.lsr-key{display:flex;flex-wrap:wrap;gap:.1rem 1.1rem;font-size:.86rem;color:var(--lsr-muted);margin:0}
.lsr-hint{color:var(--lsr-muted);font-size:.8rem}
.lsr-numbers{display:flex;flex-wrap:wrap;gap:.9rem 2.6rem;padding:.9rem 0 .7rem;border-top:1px solid var(--lsr-line);
 border-bottom:1px solid var(--lsr-line)}
.lsr-number{display:flex;flex-direction:column;min-width:8rem}
.lsr-label{font-size:.82rem;color:var(--lsr-muted)}
.lsr-value{font-size:1.6rem;font-weight:600;line-height:1.25;font-variant-numeric:tabular-nums;white-space:nowrap}
.lsr-remark{font-size:.82rem;color:var(--lsr-muted)}
.lsr-base{color:var(--lsr-network)} .lsr-refined{color:var(--lsr-accent)} .lsr-step{color:var(--lsr-warn)}
.lsr-arrow{color:var(--lsr-muted);font-weight:400;padding:0 .45rem}
.lsr-scroll{overflow-x:auto} .lsr-scroll:focus-visible{outline:2px solid var(--lsr-accent)}
[data-testid="stCaptionContainer"],[data-testid="stCaptionContainer"] *{color:var(--lsr-muted) !important;opacity:1}
[data-testid="stRadio"] [data-testid="stWidgetLabel"] *{color:var(--lsr-muted) !important}
[data-testid="stCode"] span,[data-testid="stMarkdownContainer"] code{color:inherit !important}
[data-testid="stMultiSelect"] :has(> span[title]){background:var(--lsr-button) !important;color:#fff !important}
[data-testid="stBaseButton-primary"],[data-testid="stBaseButton-primaryFormSubmit"],[data-baseweb="tag"]{background:var(--lsr-button);color:#fff}
.lsr-table{border-collapse:collapse;font-size:.88rem;font-variant-numeric:tabular-nums;width:100%}
.lsr-table caption{caption-side:top;text-align:left;font-weight:600;font-size:1.05rem;padding:.3rem 0}
.lsr-table th{font-weight:600;color:var(--lsr-muted);text-align:right;padding:.3rem .45rem;border-bottom:1px solid var(--lsr-line)}
.lsr-table td{text-align:right;padding:.28rem .45rem;border-bottom:1px solid var(--lsr-line)}
.lsr-table td{white-space:nowrap}
.lsr-table .lsr-words{white-space:normal;min-width:6.5rem}
.lsr-table td:first-child,.lsr-table td:last-child{white-space:normal}
.lsr-table td:last-child{min-width:4.4rem} .lsr-table td:first-child{min-width:4.4rem}
.lsr-table th:first-child,.lsr-table td:first-child{text-align:left;padding-left:0}
.lsr-many{font-size:.8rem} .lsr-many th,.lsr-many td{padding-left:.2rem;padding-right:.2rem}
.lsr-many td:last-child{min-width:3rem}
.lsr-question{font-weight:600;margin:0;max-width:75ch}
.lsr-answers{display:grid;grid-template-columns:1fr 1fr;gap:.4rem 1.6rem;padding:.6rem 0;border-top:1px solid var(--lsr-line);
 border-bottom:1px solid var(--lsr-line)} .lsr-said{font-size:1.15rem;font-weight:600;line-height:1.3;margin:0}
.lsr-facts{margin:0;font-size:.9rem;line-height:1.5} .lsr-facts b{font-weight:600;font-size:1.02rem;overflow-wrap:anywhere}
.lsr-facts span{display:block;color:var(--lsr-muted);overflow-wrap:anywhere}
.lsr-run{display:flex;flex-wrap:wrap;align-items:baseline;gap:.1rem .9rem;padding:.35rem 0 .35rem .7rem;
 border-left:3px solid var(--lsr-line)} .lsr-run b{font-weight:600;overflow-wrap:anywhere} .lsr-run .lsr-remark{flex-basis:100%}
.lsr-open{border-left-color:var(--lsr-accent)} .lsr-result{font-variant-numeric:tabular-nums;font-size:.92rem}
.lsr-state-failed,.lsr-state-cancelled{color:var(--lsr-warn)} .lsr-state-running,.lsr-state-queued{color:var(--lsr-accent)}
.lsr-verdict{border-left:3px solid var(--lsr-accent);padding:.15rem 0 .15rem .9rem;max-width:95ch;font-size:.95rem}
.lsr-verdict p{margin:.1rem 0} .lsr-verdict ul{margin:.15rem 0;padding-left:1.1rem;color:var(--lsr-muted);font-size:.9rem}
.lsr-verdict b{margin-right:.7rem}
.lsr-group{font-size:.78rem;font-weight:600;color:var(--lsr-muted);margin:.55rem 0 .1rem;padding-left:.5rem}
[class*="st-key-unfilled_"] a *{color:var(--lsr-muted) !important;font-style:italic}
.lsr-what{margin:.3rem 0 .2rem;padding-left:1.1rem;max-width:85ch} .lsr-what li{margin:.1rem 0}
.lsr-brand{font-weight:650;font-size:1.1rem;margin:0}
.lsr-chip{display:inline-block;width:.7rem;height:.7rem;border-radius:50%;margin-right:.45rem}
"""
