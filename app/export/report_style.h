// How the report looks, in light and in dark.
#pragma once

namespace longtake {

// The curves are drawn for white paper (app/plot.cpp); in the dark, paper and ink change places by the colours they have there.
inline constexpr char kReportStyle[] = R"(
:root { --paper: #fff; --ink: #1e1e1e; --faint: #6a6a6a; --line: #d9d9d9; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #17191c; --ink: #e3e5e8; --faint: #9aa0a6; --line: #3a3e44; }
  .curves [fill="#ffffff"] { fill: #17191c; }
  .curves [fill="#1e1e1e"] { fill: #e3e5e8; }
  .curves [stroke="#1e1e1e"] { stroke: #9aa0a6; }
  .curves [stroke="#e0e0e0"] { stroke: #33373c; }
  .curves [stroke="#f2f2f2"] { stroke: #24272b; }
  .curves [stroke="#000000"] { stroke: #fff; }
  .curves [fill="#000000"] { fill: #fff; }
  .curves [stroke="#f0aa8c"] { stroke: #8a4a30; }
  .curves [stroke="#aad0e5"] { stroke: #1f4a63; }
  .curves [stroke="#f6dfaa"] { stroke: #5f4a1c; }
  .curves [stroke="#aad2c6"] { stroke: #1f4d40; }
  .curves [stroke="#eed2e2"] { stroke: #5a3a4d; }
}
body { background: var(--paper); color: var(--ink); font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem; padding: 0 1.2rem; }
h1 { font-size: 1.5rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin-top: 2.2rem; border-bottom: 1px solid var(--line); padding-bottom: .2rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1.2rem; }
dt { color: var(--faint); }
dd { margin: 0; overflow-wrap: anywhere; }
figure { margin: 0; }
figcaption { color: var(--faint); font-size: .85rem; overflow-wrap: anywhere; }
figcaption b { color: var(--ink); font-weight: 600; font-variant-numeric: tabular-nums; }
.curves svg { width: 100%; height: auto; }
.sheet { display: grid; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); gap: 1rem; }
.sheet img { width: 100%; height: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: left; color: var(--faint); font-weight: 600; font-size: .85rem; }
th, td { padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: middle; white-space: nowrap; }
th, .words { white-space: normal; overflow-wrap: anywhere; }
td img { height: 3.6rem; width: auto; display: block; }
.note { color: var(--faint); }
@media print { table, figure { break-inside: avoid; } }
)";

}  // namespace longtake
