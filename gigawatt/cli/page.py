"""How a page looks: one style for all."""

STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse;margin:1rem 0 2rem}td,th{padding:.15rem .7rem;text-align:right;"
    "white-space:nowrap}@media(max-width:40rem){table{font-size:12px}td,th{padding:.1rem .3rem}}"
    "td:first-child,th:first-child{text-align:left}tr:nth-child(even){background:#f4f4f4}"
    "figure{margin:0;overflow-x:auto}svg{max-width:100%;height:auto}div{overflow-x:auto}"
)
