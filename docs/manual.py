#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Manual pages made of the sources that own their subject: anvil(3) of anvil.h, anvil_options(7) of
its struct and of the parser's list, mallet-trace(5) of the codec's comments and the table of ops.
Those of the command are made of what --help says (cmake/man.sh).

usage: manual.py VERSION FOLDER"""
import pathlib
import re
import sys

from sources import opening, plain, rows, text_of

ANVIL_H = "allocator/include/anvil.h"


def roff(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.MULTILINE)


def marked(text):
    """Prose: what stands between backquotes is in italics."""
    return re.sub(r"`([^`]*)`", r"\\fI\1\\fP", roff(text))


def sentence(text):
    return text[0].upper() + text[1:].rstrip(".") + "."


def is_example(paragraph):
    return all(line.startswith("  ") and not line.startswith("  - ") for line in paragraph.split("\n"))


def prose(text):
    """Paragraphs, bullets and examples of a comment."""
    out = []
    for paragraph in re.split(r"\n\s*\n", text):
        if is_example(paragraph) and out:
            out += [".PP", ".RS", ".nf", roff(re.sub(r"^  ? ?", "", paragraph, flags=re.MULTILINE)), ".fi", ".RE"]
            continue
        parts = re.split(r"^ *- ", paragraph, flags=re.MULTILINE)
        if parts[0].strip():
            out += [".PP", marked(re.sub(r"^ +", "", parts[0], flags=re.MULTILINE).strip())]
        for part in parts[1:]:
            out += ['.IP "\\(bu" 2', marked(re.sub(r"^ +", "", part, flags=re.MULTILINE).strip())]
    return out


def page(name, section, version, summary, parts, others):
    head = [f'.TH {name.upper()} {section} "" "mallet {version}" "mallet"', ".SH NAME", f"{roff(name)} \\- {summary}"]
    body = [line for title, lines in parts for line in [f".SH {title}", *lines]]
    also = [".SH SEE ALSO", " ,\n".join(f".BR {roff(other)} ({number})" for other, number in others)]
    return "\n".join(head + body + also) + "\n"


def declarations(text):
    """Of a header: ("section", title), ("comment", text), ("code", text) and ("gap", "")."""
    token = re.compile(r"/\*.*?\*/|^[ \t]*\n|(?:typedef )?(?:struct|enum) \w+ \{.*?^\};|^\w[^;]*;", re.DOTALL | re.MULTILINE)
    for match in token.finditer(text):
        piece = match[0].strip()
        if not piece:
            yield "gap", ""
        elif piece.startswith("/* ----"):
            yield "section", plain(piece).strip("- ").replace("\n", " ")
        elif piece.startswith("/*"):
            yield "comment", plain(piece)
        elif "anvil" in piece:
            yield "code", piece


def functions(text):
    """Declarations that stand together share the comment above the first."""
    out, group, comment = [], [], ""

    def end_group():
        nonlocal group, comment
        if group:
            out.extend([".PP", ".nf", roff("\n".join(group)), ".fi", *([".RS", *prose(comment), ".RE"] if comment else [])])
        group, comment = [], ""

    for kind, piece in declarations(text):
        if kind == "code":
            group.append(piece)
            continue
        end_group()
        if kind == "section":
            title, _, rest = piece.partition(": ")
            out.append(f".SS {roff(sentence(title))[:-1]}")
            out += prose(sentence(rest)) if rest else []
        elif kind == "comment":
            comment = piece
    end_group()
    return out


def anvil_3(version):
    text = text_of(ANVIL_H)
    body = text[text.index("/* ----"):text.index("#ifdef __cplusplus\n}")]
    synopsis = [".nf", ".B #include <anvil.h>", ".PP", r"cc program.c $(pkg\-config \-\-cflags \-\-libs anvil)", ".fi"]
    return page("anvil", 3, version, "a hardened general-purpose memory allocator", [
        ("SYNOPSIS", synopsis), ("DESCRIPTION", prose(opening(ANVIL_H).replace(" This header is its manual.", ""))), ("FUNCTIONS AND TYPES", functions(body))],
        [("anvil_options", 7), ("malloc", 3), ("mallet", 1)])


def fields(text):
    """The fields of struct anvil_options with their comments."""
    struct = re.search(r"struct anvil_options \{\n(.*?)^\};", text, re.DOTALL | re.MULTILINE)[1]
    comments, comment = {}, ""
    for match in re.finditer(r"/\*.*?\*/|(\w+);", struct, re.DOTALL):
        if match[1]:
            comments[match[1]] = comment
        else:
            comment = plain(match[0])
    return comments


# Items of the text whose field has another name, or none.
WORDS = {
    "source": "Where memory comes from: mappings, or the program break. The default is mmap.",
    "fit": "Which free run of pages serves a request. The default is first.",
    "cache": "off: threads keep no blocks of their own, so every call takes a lock. The default is on.",
    "secure": "Canary, zero, random and a quarantine of 1 MiB.",
}


def anvil_options_7(version):
    listed = "".join(re.findall(r'"([^"]*)"', '"' + text_of("allocator/src/options.c").split("is not one of ")[1].split("quoted")[0]))
    items, comments, out = re.findall(r"(\w+)((?::[\w|]+)?)(?:, |$)", listed), fields(text_of(ANVIL_H)), []
    for name, values in items:
        text = WORDS.get(name) or comments[name]  # an item without a text is an error
        out += [".TP", f".B {roff(name + values)}", marked(sentence(text))]
    about = prose("The environment variable ANVIL_OPTIONS sets the options of the default heap; anvil_options_parse takes the same text. "
                  "Items are separated by commas. A SIZE is a decimal number of bytes, with k, m or g for the powers of 1024. "
                  "A bad item is reported in one line on standard error; those before it hold.")
    example = [".nf", "ANVIL_OPTIONS=source:sbrk,fit:best,mmap_threshold:256k LD_PRELOAD=libanvil.so.1 program",
               "ANVIL_OPTIONS=secure LD_PRELOAD=libanvil.so.1 program", ".fi"]
    return page("anvil_options", 7, version, "options of the allocator anvil",
                [("DESCRIPTION", about), ("OPTIONS", out), ("EXAMPLES", example)], [("anvil", 3), ("mallet", 1)])


def op_form(name, traits):
    """How the op is written."""
    allocates, uses, sized = "OP_ALLOCATES" in traits, "OP_USES" in traits, "OP_HAS_SIZE" in traits
    words = (["#N", "="] if allocates or (uses and sized) else []) + [name]
    words += ["#N"] if uses or "OP_FREES" in traits else []
    words += ["COUNT"] if "OP_HAS_COUNT" in traits else ["ALIGNMENT"] if "OP_HAS_ALIGNMENT" in traits else []
    words += ["NUMBER"] if "OP_HAS_NUMBER" in traits else []
    return " ".join(words + (["SIZE"] if sized else []))


def trace_5(version):
    table = [line.strip("|\n ").split("|", 1) for line in text_of("harness/README.md").split("\n")
             if re.match(r"\| `(fail-os|thread|fork|sbrk)", line)]
    means = {re.search(r"`([\w-]+)", op)[1]: re.sub(r" \(`[\w.]*`\)", "", text.strip()) for op, text in table}
    out = []
    for _, name, function, traits, *_ in rows("harness/trace/trace.h", "OP"):
        text = means.get(name)
        text = text if text else "Every live block is verified." if name == "sweep" else f"Calls {function}" + (
            " with NULL." if "OP_PASSES_NULL" in traits else ".")
        out += [".TP", f".B {roff(op_form(name, traits))}", marked(sentence(text))]
    example = [".nf", "# Two blocks; the first grows, behind the second.", "#0 = malloc 48", "#1 = calloc 4 12",
               "#0 = realloc #0 size(#1)+1", "free #1", "free #0", ".fi"]
    grammar = opening("harness/trace/trace_text.c").replace("Numbers are\ntrace_number.c's.", "")
    return page("mallet-trace", 5, version, "a list of calls of the malloc family, as text", [
        ("DESCRIPTION", prose(grammar)), ("OPS", out), ("NUMBERS", prose(opening("harness/trace/trace_number.c"))),
        ("EXAMPLES", example)], [("mallet-replay", 1), ("mallet-show", 1), ("mallet-record", 1), ("mallet", 1)])


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    version, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in (("anvil.3", anvil_3), ("anvil_options.7", anvil_options_7), ("mallet-trace.5", trace_5)):
        (folder / name).write_text(make(version))


main()
