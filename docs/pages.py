#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Pages about what there is, made of the registries: checks.md, clauses.md, mutants.md, commands.md,
and an index of them beside the pages that are written by hand.

usage: pages.py MALLET FOLDER"""
import csv
import json
import pathlib
import re
import shutil
import subprocess
import sys

from sources import ROOT, rows, text_of

WRITTEN = {"architecture.md": "How the data flows, and which folder owns what", "extend.md": "To add a clause, a check, a subject, a mutant"}


def run(mallet, *words):
    return subprocess.run([mallet, *words], check=True, capture_output=True, text=True).stdout


def table(heads, lines):
    escape = lambda cell: str(cell).replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
    return "\n".join(["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)] +
                     ["| " + " | ".join(map(escape, line)) + " |" for line in lines]) + "\n"


def mutants():
    with open(ROOT / "mutants/registry.tsv", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def checks_page(mallet):
    catches = {}
    for row in mutants():
        for names in re.findall(r"=([\w,]+)", row["caught by"]) if row["origin"] != "sound" else []:
            for name in names.split(","):
                catches[name] = catches.get(name, 0) + 1
    lines = [(name, severity.lower(), asserts, catches.get(name, 0))
             for _, severity, name, _, asserts in rows("harness/run/check.h", "CHECK")]
    return f"# Checks\n\n{len(lines)} properties, worst first within a report. A mutant is a broken allocator that this check must catch.\n\n" + table(
        ("check", "severity", "asserts that", "mutants"), lines)


def clauses_page(mallet):
    clauses = json.loads(run(mallet, "clauses", "--json"))["clauses"]
    out = [f"# Clauses\n\n{len(clauses)} requirements of C, POSIX and glibc on the malloc family. `mallet clauses ID` explains one.\n"]
    for clause in clauses:
        tested = f"Tested: {clause['test']}" if clause["probe"] else f"Not testable at run time: {clause['untestable']}"
        out += [f"## {clause['clause']}\n", f"{clause['strength']}, {clause['profile']}; {clause['functions']}\n", clause["requirement"].rstrip(".") + ".\n",
                *([clause["why"] + "\n"] if clause["why"] else []), tested.rstrip(".") + ".\n"]
    return "\n".join(out)


def mutants_page(mallet):
    broken = [row for row in mutants() if row["origin"] != "sound"]
    sound = [row for row in mutants() if row["origin"] == "sound"]
    return (f"# Mutants\n\n{len(broken)} broken allocators, which prove that the harness can fail.\n\n" +
            table(("mutant", "origin", "reached by", "caught by", "mistake", "after"), [list(row.values()) for row in broken]) +
            f"\n# Sound subjects\n\n{len(sound)} correct but unusual allocators, which no command may accuse.\n\n" +
            table(("subject", "what is unusual"), [(row["id"], row["mistake"]) for row in sound]))


def commands_page(mallet):
    listed = re.findall(r"^  ([a-z]+)  +(.*)$", run(mallet, "--help"), re.MULTILINE)
    out = ["# Commands\n", table(("command", "what it does"), [(f"[{name}](#mallet-{name})", text) for name, text in listed])]
    for name, _ in listed:
        out.append(f"## mallet {name}\n\n```\n{run(mallet, name, '--help').strip()}\n```\n")
    return "\n".join(out)


PAGES = {"checks.md": ("Every check", checks_page), "clauses.md": ("Every clause", clauses_page),
         "mutants.md": ("Every mutant and every sound subject", mutants_page), "commands.md": ("Every command and option", commands_page)}


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    mallet, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    index = ["# mallet and anvil\n"]
    for name, text in WRITTEN.items():
        shutil.copy(ROOT / "docs" / name, folder / name)
        index.append(f"- [{text}]({name})")
    for name, (text, make) in PAGES.items():
        (folder / name).write_text(make(mallet))
        index.append(f"- [{text}]({name})")
    (folder / "index.md").write_text("\n".join(index) + "\n")


main()
