/* SPDX-License-Identifier: MIT */
#include "conformance/report_html.h"

/* A badge's colour is one of four, and its text says the verdict; both palettes keep a contrast of 4.5 and more. The clause's column stays
 * in view when the table is wider than the screen. */
const char report_html_style[] =
    ":root{color-scheme:light dark;--page:#fff;--text:#1b1f24;--quiet:#57606a;--line:#d0d7de;--band:#f3f5f8;--link:#0550ae;"
    "--good:#d4f2dc;--good-text:#0b4a20;--poor:#ffd9d6;--poor-text:#7d1410;--weak:#ffe9b8;--weak-text:#5f3f00;--open:#e4e8ed;"
    "--open-text:#3d444d}\n"
    "@media(prefers-color-scheme:dark){:root{--page:#0f1318;--text:#e6eaef;--quiet:#9aa5b1;--line:#333b45;--band:#1a2028;--link:#79b8ff;"
    "--good:#123d22;--good-text:#a8e8bd;--poor:#5a1a18;--poor-text:#ffc9c5;--weak:#4d3800;--weak-text:#ffdf94;--open:#2a313a;"
    "--open-text:#c3ccd6}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0 auto;max-width:90rem;padding:1rem;background:var(--page);color:var(--text);font:16px/1.5 system-ui,sans-serif}\n"
    "h1{margin:.2rem 0}h2{margin:2rem 0 .5rem;border-bottom:1px solid var(--line)}h3{margin:0;font-size:1rem}\n"
    "a{color:var(--link)}p{margin:.3rem 0}ul{margin:.3rem 0;padding-left:1.2rem}.quiet{color:var(--quiet)}\n"
    "fieldset{border:1px solid var(--line);border-radius:.4rem;margin:1rem 0;padding:.3rem .8rem .6rem}\n"
    "fieldset label{display:inline-block;margin-right:1rem;padding:.3rem 0}\n"
    "dl.legend{display:grid;grid-template-columns:max-content 1fr;gap:.3rem .8rem;align-items:center}dl.legend dd{margin:0}\n"
    ".scroll{overflow-x:auto;border:1px solid var(--line);border-radius:.4rem}\n"
    "table{border-collapse:separate;border-spacing:0;width:100%}\n"
    "th,td{padding:.35rem .6rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}\n"
    "thead th{white-space:nowrap}.matrix th:first-child{position:sticky;left:0;background:var(--page);min-width:14rem}\n"
    ".matrix tr.family th,.matrix tr.family td{background:var(--band);font-weight:600}\n"
    "tr.clause th{font-weight:400}tr.clause code{font-weight:600}.what{display:block;color:var(--quiet);font-size:.85rem}\n"
    ".badge{display:inline-block;padding:.05rem .5rem;border-radius:.6rem;font-size:.85rem;white-space:nowrap;background:var(--open);"
    "color:var(--open-text)}\n"
    "a.badge{text-decoration:underline}\n"
    ".badge.good{background:var(--good);color:var(--good-text)}.badge.poor{background:var(--poor);color:var(--poor-text)}\n"
    ".badge.weak,.badge.late,.badge.silent{background:var(--weak);color:var(--weak-text)}\n"
    "article{margin:.8rem 0;padding:.5rem .8rem;border:1px solid var(--line);border-radius:.4rem}\n"
    "article:target{outline:3px solid var(--link)}\n"
    "p,h3,dd{overflow-wrap:anywhere}pre{overflow-x:auto;padding:.6rem;background:var(--band);font-size:.8rem}\n"
    "summary{cursor:pointer;padding:.3rem 0}\n"
    "@media(max-width:40rem){body{padding:.6rem;font-size:15px}.matrix th:first-child{min-width:9.5rem;max-width:48vw}"
    ".what{font-size:.78rem}th,td{padding:.3rem .4rem}}\n"
    "@media print{.scroll{overflow:visible}fieldset{display:none}}\n";

/* Shows the rows and badges of one profile, and counts families anew from what is shown. Without it the page shows all profiles. */
const char report_html_script[] =
    "function score(body){const sums=[...body.querySelectorAll('tr.family td')];\n"
    "sums.forEach((sum,i)=>{let good=0,all=0;\n"
    "for(const row of body.querySelectorAll('tr.clause:not([hidden])')){\n"
    "const badges=[...row.querySelectorAll('td')[i].querySelectorAll('.badge:not([hidden])')];\n"
    "const poor=badges.some(b=>b.matches('.poor,.weak,.silent')),fine=badges.some(b=>b.matches('.good,.late'));\n"
    "if(poor||fine)all++;if(fine&&!poor)good++;}\n"
    "sum.textContent=all?good+'/'+all:'-';});\n"
    "body.hidden=!body.querySelector('tr.clause:not([hidden])');}\n"
    "document.querySelectorAll('input[name=profile]').forEach(input=>input.addEventListener('change',()=>{\n"
    "for(const e of document.querySelectorAll('tr.clause,.badge[data-of],article,tr.profile'))\n"
    "e.hidden=input.value!==''&&!e.dataset.of.split(',').includes(input.value);\n"
    "document.querySelectorAll('tbody.family').forEach(score);}));\n"
    "document.querySelector('fieldset').hidden=false;\n";
