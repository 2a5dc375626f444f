"""The style sheet of the report: light and dark after the reader's setting, light and black on white in print."""

from __future__ import annotations

from sim.report.theme import DARK, LIGHT, css_variables

_RULES = """
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 var(--sans)}
main{max-width:1100px;margin:0 auto;padding:2.2rem 1.4rem 4rem}
h1{font-size:2.1rem;line-height:1.15;margin:.1em 0 .3em;letter-spacing:-.015em;overflow-wrap:anywhere}
h2{font-size:1.4rem;margin:3.2rem 0 .8rem;padding-top:.9rem;border-top:1px solid var(--rule);letter-spacing:-.01em}
h3{font-size:1.06rem;margin:1.8rem 0 .4rem;overflow-wrap:anywhere}
p{margin:.5em 0;max-width:78ch}
a{color:var(--variant-1)}
small{font-size:.82em}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.86em}
.muted,figcaption{color:var(--muted)}
.kicker{color:var(--muted);font-size:.86rem;margin:0}
.question{font-size:1.2rem;line-height:1.45;max-width:62ch}
nav{font-size:.9rem;margin-top:1.2rem;display:flex;flex-wrap:wrap;gap:.25rem 1.2rem}
nav a{text-decoration:none;border-bottom:1px solid var(--rule)}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,17rem),1fr));gap:.9rem;margin:1.4rem 0 .6rem}
.card{border:1px solid var(--rule);border-top:4px solid var(--colour,var(--muted));border-radius:6px;padding:.7rem .95rem .8rem}
.card h3{margin:.1rem 0 .5rem;color:var(--colour)}
.card dl{display:grid;grid-template-columns:auto auto;gap:.12rem 1rem;margin:0;align-items:baseline}
.card dt{overflow-wrap:anywhere;color:var(--muted);font-size:.88rem}
.card dd{margin:0;white-space:nowrap;text-align:right;font-variant-numeric:tabular-nums;font-weight:600}
.card dd small{font-weight:400;color:var(--muted)}
.judgement{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,24rem),1fr));gap:0 2rem}
.judgement>h3,.judgement>p{grid-column:1/-1;max-width:none}
.judgement h4{margin:.3rem 0 .1rem;font-size:.95rem}
.judgement ul{margin:.1rem 0 .6rem;padding-left:1.15rem}
.judgement li{margin:.12rem 0;font-variant-numeric:tabular-nums}
.good,.better{color:var(--good)}
.bad,.worse{color:var(--bad)}
.scroll{overflow-x:auto;-webkit-overflow-scrolling:touch}
figure{margin:0 0 1.2rem}
figcaption{font-size:.9rem;max-width:86ch;margin:.1rem 0 .5rem}
.chart{display:block;width:100%;min-width:620px;height:auto}
.chart text{font-family:var(--sans)!important}
.topology{display:block;max-width:100%;height:auto}
.stories{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,19rem),1fr));gap:0 2rem}
.stories h3{color:var(--colour)}
ol.story{list-style:none;margin:0;padding:0;border-left:2px solid var(--rule)}
.story li{position:relative;padding:.1rem 0 .55rem 1rem;line-height:1.42}
.story li::before{content:"";position:absolute;left:-6px;top:.5rem;width:10px;height:10px;border-radius:50%;background:var(--muted);
box-shadow:0 0 0 3px var(--paper)}
.story li.good,.story li.bad{color:inherit}
.story li.fault::before{background:var(--fault-ink);border-radius:1px;transform:rotate(45deg)}
.story li.bad::before{background:var(--bad)}
.story li.good::before{background:var(--good)}
.story .when{display:block;color:var(--muted);font-size:.84rem;font-variant-numeric:tabular-nums}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.93rem}
.figures{min-width:100%}
.figures td,.figures th{padding:.28rem .7rem;text-align:right;vertical-align:top}
.figures th[scope=row]{text-align:left;font-weight:400;padding-left:0}
.figures th[scope=col]{vertical-align:bottom;border-bottom:2px solid var(--colour,var(--rule));overflow-wrap:anywhere}
.figures td{white-space:nowrap}
.figures td[colspan]{text-align:left;white-space:normal;padding-left:0}
.figures tr{border-bottom:1px solid var(--rule)}
.figures .group th{text-align:left;padding:1.1rem 0 .25rem;font-weight:600}
.figures small{color:var(--muted)}
.difference{font-size:.8rem;color:var(--muted)}
.difference.better{color:var(--good)}.difference.worse{color:var(--bad)}.difference.other{color:var(--ink)}
.plain td,.plain th{padding:.3rem .9rem .3rem 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--rule)}
.plain th{font-weight:600}
dl.facts{display:grid;grid-template-columns:minmax(9rem,auto) 1fr;gap:.25rem 1.2rem;max-width:90ch}
dl.facts dt{color:var(--muted)}dl.facts dd{margin:0;overflow-wrap:anywhere}
pre.scenario{background:var(--shade);border-radius:6px;padding:1rem 1.1rem;overflow-x:auto;line-height:1.45}
@media (max-width:640px){main{padding:1.2rem .9rem 3rem}h1{font-size:1.6rem}dl.facts{grid-template-columns:1fr}dl.facts dd{margin-bottom:.5rem}
.topology{max-width:none;min-width:100%}}
@media print{body{font-size:10.5pt}main{max-width:none;padding:0}nav{display:none}h2{break-after:avoid;margin-top:1.6rem}h3{break-after:avoid}
figure,.card,.story li,.figures tr{break-inside:avoid}.chart{min-width:0}.scroll{overflow:visible}
.topology{max-width:100%;min-width:0}pre.scenario{white-space:pre-wrap}}
"""


def stylesheet() -> str:
    """All rules, with the colours of both themes as variables."""
    fonts = "--sans:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif;"
    light, dark = css_variables(LIGHT), css_variables(DARK)
    return (
        f":root{{color-scheme:light dark;{fonts}{light}}}"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}"
        f"{''.join(f'.v{number}{{--colour:var(--variant-{number})}}' for number in range(1, len(LIGHT.variants) + 1))}"
        f"{_RULES.strip()}"
    )
