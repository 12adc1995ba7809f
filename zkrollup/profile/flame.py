"""A flame graph as one HTML page: SVG written by hand, a little script to zoom and search, nothing fetched.

This module must not know what is counted; it draws trees.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from html import escape

from zkrollup.profile.model import Node, Profile

__all__ = ["flame_graph"]

_ROW = 20
_LEAST = 1e-4
_TITLES = {
    "constraints": "constraints",
    "nonzeros": "nonzeros of A, B, C",
    "b_columns": "columns in B",
}

_STYLE = """
:root{color-scheme:light dark;--bg:#fff;--fg:#1c2024;--dim:#667;--line:#d8dce2;--hit:#d33}
@media(prefers-color-scheme:dark){:root{--bg:#15181c;--fg:#e6e9ee;--dim:#99a;--line:#333a44;--hit:#f66}}
body{margin:0;padding:1.2rem 1.5rem;background:var(--bg);color:var(--fg);font:14px/1.5 system-ui,sans-serif}
h1{font-size:1.15rem;margin:0 0 .2rem}p{margin:.1rem 0;color:var(--dim)}
.bar{display:flex;gap:.8rem;flex-wrap:wrap;align-items:center;margin:.8rem 0}
.bar input,.bar select,.bar button{font:inherit;color:inherit;background:var(--bg);
border:1px solid var(--line);border-radius:5px;padding:.2rem .5rem}
.graph{display:block;width:100%;font:12px ui-monospace,monospace}.graph[hidden]{display:none}
.f{cursor:pointer}.f rect{stroke:var(--bg);stroke-width:1}.f text{fill:#15181c;pointer-events:none}
.f:hover rect,.f:focus rect{filter:brightness(1.1);stroke:var(--fg)}.f:focus{outline:none}
.hit rect{fill:var(--hit)}.hit text{fill:#fff}.above{opacity:.55}
#said{min-height:1.5em;font-family:ui-monospace,monospace;color:var(--fg);overflow-wrap:anywhere}
"""

_SCRIPT = """
const graphs=[...document.querySelectorAll('.graph')],said=document.getElementById('said');
const find=document.getElementById('find'),pick=document.getElementById('pick');
const zoomed=new Map();
const at=f=>({x:+f.dataset.x,w:+f.dataset.w,d:+f.dataset.d});
function zoom(graph,frame){
 const to=at(frame);zoomed.set(graph,frame);
 for(const f of graph.querySelectorAll('.f')){
  const me=at(f),over=me.d<to.d&&me.x<=to.x+1e-6&&me.x+me.w>=to.x+to.w-1e-6;
  const inside=me.x>=to.x-1e-6&&me.x+me.w<=to.x+to.w+1e-6&&me.d>=to.d;
  f.style.display=over||inside?'':'none';f.classList.toggle('above',over);
  f.setAttribute('x',(over?0:100*(me.x-to.x)/to.w)+'%');
  f.setAttribute('width',(over?100:100*me.w/to.w)+'%');
 }}
const root=graph=>graph.querySelector('.f');
function shown(){return graphs.find(g=>!g.hidden)}
function search(){
 const word=find.value.toLowerCase();let sum=0;
 for(const graph of graphs){let until=-1;
  for(const f of graph.querySelectorAll('.f')){
   const hit=word!==''&&f.dataset.n.toLowerCase().includes(word);f.classList.toggle('hit',hit);
   const me=at(f);if(hit&&graph===shown()&&me.x>=until-1e-6){sum+=me.w;until=me.x+me.w}}}
 said.textContent=word===''?'':(100*sum).toFixed(2)+' % in frames with "'+find.value+'"'}
for(const graph of graphs){
 graph.addEventListener('click',e=>{const f=e.target.closest('.f');if(f)zoom(graph,f)});
 graph.addEventListener('keydown',e=>{const f=e.target.closest('.f');
  if(f&&(e.key==='Enter'||e.key===' ')){e.preventDefault();zoom(graph,f)}});
 for(const kind of ['mouseover','focusin'])graph.addEventListener(kind,e=>{
  const f=e.target.closest('.f');if(f)said.textContent=f.querySelector('title').textContent})}
find.addEventListener('input',search);
pick.addEventListener('change',()=>{for(const g of graphs)g.hidden=g.dataset.weight!==pick.value;search()});
function reset(){for(const g of graphs)zoom(g,root(g))}
document.getElementById('reset').addEventListener('click',reset);
document.addEventListener('keydown',e=>{if(e.key==='Escape'){find.value='';search();reset()}});
"""


def flame_graph(profile: Profile) -> str:
    """The page: one graph for each weight, the circuit on top and the source lines at the bottom."""
    tree = profile.tree().merged()
    totals = profile.totals
    weights = [weight for weight in _TITLES if totals[weight]]
    options = "".join(f'<option value="{weight}">{_TITLES[weight]}</option>' for weight in weights)
    graphs = "".join(_graph(tree, weight, weight != weights[0]) for weight in weights)
    facts = ", ".join(f"{totals[weight]:,} {_TITLES[weight]}" for weight in weights)
    digest = f" Digest {escape(profile.digest[:16])}." if profile.digest else ""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(profile.name)}: where its constraints are</title><style>{_STYLE}</style></head>"
        f"<body><h1>{escape(profile.name)}</h1><p>{escape(facts)}.{digest}</p>"
        "<p>Scopes above, the source lines that recorded the rows below; a frame is as wide as its share. "
        "Siblings that differ only in numbers are one. Click, or press Enter, to zoom; Escape resets.</p>"
        f'<div class="bar"><label>Width <select id="pick">{options}</select></label>'
        '<label>Search <input id="find" type="search" placeholder="scope or file"></label>'
        '<button id="reset" type="button">Reset</button></div>'
        f'<div id="said" role="status"></div>{graphs}<script>{_SCRIPT}</script></body></html>\n'
    )


def _graph(tree: Node, weight: str, hidden: bool) -> str:
    frames = list(_frames(tree, weight, 0.0, 1.0, 0, tree.weight(weight)))
    height = (1 + max(depth for _, depth in frames)) * _ROW
    drawn = "".join(text for text, _ in frames)
    return (
        f'<svg class="graph" data-weight="{weight}" height="{height}" xmlns="http://www.w3.org/2000/svg" '
        f'role="img" aria-label="{_TITLES[weight]} by scope"{" hidden" if hidden else ""}>{drawn}</svg>'
    )


def _frames(
    node: Node, weight: str, x: float, width: float, depth: int, total: int
) -> Iterator[tuple[str, int]]:
    """Frames depth first, each before those inside it, and how deep they stand."""
    count = node.weight(weight)
    title = f"{node.name}: {count:,} {_TITLES[weight]}, {100 * count / max(total, 1):.2f} %"
    yield (
        f'<svg class="f" tabindex="0" x="{100 * x:.3f}%" y="{depth * _ROW}" width="{100 * width:.3f}%" '
        f'height="{_ROW}" data-x="{x:.6f}" data-w="{width:.6f}" data-d="{depth}" '
        f'data-n="{escape(node.name)}"><title>{escape(title)}</title>'
        f'<rect width="100%" height="100%" fill="{_colour(node)}"/>'
        f'<text x="5" y="14">{escape(_label(node))}</text></svg>',
        depth,
    )
    for child in node.heaviest(weight):
        part = width * child.weight(weight) / max(count, 1)
        if part >= _LEAST:
            yield from _frames(child, weight, x, part, depth + 1, total)
        x += part


def _label(node: Node) -> str:
    """A line without its folders: the title has them."""
    return node.name.rpartition("/")[2] if node.is_line else node.name


def _colour(node: Node) -> str:
    """Warm and by name for scopes, grey blue for lines; light enough for dark text on any page."""
    hue = zlib.crc32(node.name.encode())
    if node.is_line:
        return f"hsl({205 + hue % 20} {25 + hue // 32 % 15}% {72 + hue // 1024 % 8}%)"
    return f"hsl({14 + hue % 42} {70 + hue // 64 % 20}% {64 + hue // 2048 % 10}%)"
