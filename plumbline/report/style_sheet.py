"""The page's style sheet: light, dark and print; its colours are those of `plumbline.report.style`."""

from plumbline.report.style import BLUE, GREEN, GRID, INK, MUTED, PAPER, PURPLE, VERMILION

_LIGHT = (
    f"--ink:{INK};--muted:{MUTED};--grid:{GRID};--paper:{PAPER};--blue:{BLUE};"
    f"--vermilion:{VERMILION};--green:{GREEN};--purple:{PURPLE};--ground:#f6f7f9;--drift-text:#b04a00"
)
_DARK = (
    "--ink:#e8ebef;--muted:#a3adb8;--grid:#353c46;--paper:#1a1f26;--blue:#56b4e9;"
    "--vermilion:#ff8a3d;--green:#3ecf9f;--purple:#dd92bd;--ground:#12161b;--drift-text:#ff9d5c"
)

STYLE_SHEET = f"""
:root {{ color-scheme: light dark; {_LIGHT} }}
@media (prefers-color-scheme: dark) {{ :root {{ {_DARK} }} }}
* {{ box-sizing: border-box; }}
body {{ margin: 0; background: var(--ground); color: var(--ink); line-height: 1.5;
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }}
main {{ max-width: 72rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }}
header p.kicker {{ margin: 0; color: var(--muted); }}
h1 {{ margin: .2rem 0 .6rem; font-size: 1.8rem; line-height: 1.2; }}
h1.alert {{ color: var(--drift-text); }}
h2 {{ margin: 2.4rem 0 .5rem; font-size: 1.25rem; }}
.lead {{ max-width: 62rem; font-size: 1.06rem; }}
.lead p {{ margin: .25rem 0; }}
.facts {{ display: flex; flex-wrap: wrap; gap: .75rem; margin: 1.4rem 0 0; padding: 0; }}
.facts div {{ flex: 1 1 10rem; padding: .7rem .9rem; background: var(--paper); border: 1px solid var(--grid);
  border-radius: .5rem; }}
.facts dt {{ color: var(--muted); font-size: .82rem; }}
.facts dd {{ margin: 0; font-size: 1.35rem; font-weight: 650; font-variant-numeric: tabular-nums; }}
.facts dd small {{ display: block; color: var(--muted); font-size: .78rem; font-weight: 400; }}
figure {{ margin: 0; padding: 1rem; background: var(--paper); border: 1px solid var(--grid); border-radius: .5rem; }}
figure + p {{ margin-top: .5rem; }}
svg.plot {{ display: block; width: 100%; height: auto; }}
.drawing {{ overflow-x: auto; }}
.drawing svg.plot {{ min-width: 44rem; }}
figcaption {{ margin-top: .7rem; color: var(--muted); font-size: .92rem; max-width: 60rem; }}
.scroll {{ overflow-x: auto; background: var(--paper); border: 1px solid var(--grid); border-radius: .5rem; }}
.scroll + .scroll {{ margin-top: .8rem; }}
table {{ width: 100%; border-collapse: collapse; font-size: .86rem; }}
caption {{ padding: .6rem .7rem 0; color: var(--muted); text-align: left; }}
th, td {{ padding: .35rem .45rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--grid); }}
thead th.number {{ white-space: normal; }}
thead th {{ color: var(--muted); font-size: .8rem; font-weight: 600; vertical-align: bottom; }}
tbody th {{ font-weight: 600; white-space: nowrap; }}
tbody tr:last-child > * {{ border-bottom: 0; }}
.number {{ text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }}
.drift {{ color: var(--drift-text); font-weight: 650; white-space: nowrap; }}
.reason {{ min-width: 9rem; }}
.calm {{ white-space: nowrap; }}
.unjudged, small {{ color: var(--muted); }}
.unjudged {{ font-style: italic; white-space: nowrap; }}
small {{ white-space: nowrap; }}
.uri {{ display: block; min-width: 20em; white-space: normal; overflow-wrap: anywhere; }}
.number small, .reason small, .facts dd small {{ white-space: normal; }}
dl.terms dt {{ font-weight: 600; }}
dl.terms dd {{ margin: 0 0 .5rem; color: var(--muted); }}
footer {{ margin-top: 3rem; color: var(--muted); font-size: .85rem; }}
@media print {{
  :root {{ {_LIGHT};--ground:#ffffff }}
  main {{ max-width: none; padding: 0; }}
  figure, .facts div, tr {{ break-inside: avoid; }}
  h2 {{ break-after: avoid; }}
  .scroll, .drawing {{ overflow: visible; }}
  .drawing svg.plot {{ min-width: 0; }}
  table {{ font-size: .7rem; }}
  tbody th, .number, small, .calm, .drift, .unjudged {{ white-space: normal; }}
  @page {{ size: A4 landscape; margin: 12mm; }}
}}
"""
