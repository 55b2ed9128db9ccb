#!/usr/bin/env python3
"""The arrows between the modules of Sources, and between the folders of each module: who uses names of whom.

    Tests/Structure/arrows.py [ROOT]         print all arrows; ends with 1 where any of them make a circle. ROOT holds the
                                             folder Sources; this repository, if it is not said
    Tests/Structure/arrows.py --why M A B    the names of folder B that folder A of module M uses, file by file

Modules: the dependencies of Package.swift that a file really imports. Folders: every name that a file declares at its top
level (and what it adds to a type of another folder) and every file of the same module that says the name.
"""
import re
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if sys.argv[1:] and sys.argv[1] != "--why": ROOT = Path(sys.argv[1]).resolve()
SOURCES = ROOT / "Sources"
ACCESS = r"(?:(?:public|package|internal|fileprivate|private|open|indirect|final|@\w+(?:\([^)]*\))?)\s+)*"
MODIFIERS = ACCESS + r"(?:static |mutating |nonisolated |override |convenience |unowned |lazy )*"
TYPE = re.compile(rf"^{ACCESS}(?:struct|enum|class|actor|protocol|typealias)\s+(\w+)")
VALUE = re.compile(rf"^{ACCESS}(?:func|let|var)\s+(\w+)")
EXTENSION = re.compile(rf"^{ACCESS}extension\s+([\w.]+)")
MEMBER = re.compile(rf"^  {MODIFIERS}(?:func|let|var|case|struct|enum|class)\s+(\w+)")
PRIVATE = re.compile(r"^\s*(?:@\w+\s+)*(?:private|fileprivate)\b")


def code(path):
  """The file's lines without comments and texts of strings, which may say any name."""
  lines = []
  isInText = False
  for line in path.read_text().splitlines():
    if line.count('"""') % 2: isInText = not isInText; line = ""
    if isInText: line = ""
    line = re.sub(r'"(?:\\.|[^"\\])*"', lambda text: " ".join(re.findall(r"\\\(([^)]*)\)", text.group())), line)
    lines.append(line.split("//")[0])
  return lines


def declared(lines):
  """The names of a file's top level, and those of the members that it adds to other files' types."""
  names, members, extended = set(), [], None
  for line in lines:
    if line[:1] not in ("", " ", "}"): extended = None
    if PRIVATE.match(line): continue
    if found := TYPE.match(line) or VALUE.match(line): names.add(found.group(1))
    elif found := EXTENSION.match(line): extended = found.group(1).split(".")[0]
    elif extended and (found := MEMBER.match(line)): members.append((extended, found.group(1)))
  return names, members


def circles(arrows):
  """Groups of more than one place that reach each other."""
  def reach(start):
    seen, todo = set(), [start]
    while todo:
      for place in arrows.get(todo.pop(), ()):
        if place not in seen: seen.add(place); todo.append(place)
    return seen
  reached = {place: reach(place) for place in arrows}
  return sorted({tuple(sorted(p for p in reached if p in reached[q] and q in reached[p])) for q in reached if q in reached[q]})


def ranked(arrows):
  """The places, those that use nothing first."""
  rest, order = {place: set(used) for place, used in arrows.items()}, []
  while rest:
    free = sorted(p for p in rest if not rest[p] & rest.keys() - {p}) or sorted(rest)
    order += free
    for place in free: del rest[place]
  return order


def modules():
  """Module → modules that its files import."""
  names = {folder.name for folder in SOURCES.iterdir() if any(p.is_file() for p in folder.rglob("*"))}
  arrows = {name: set() for name in names}
  for name in names:
    for path in (SOURCES / name).rglob("*.swift"):
      for line in path.read_text().splitlines():
        if found := re.match(r"(?:@\w+ |public |package |internal )*import (?:\w+ )?(\w+)", line): arrows[name].add(found.group(1))
    arrows[name] = arrows[name] & names - {name}
  return arrows


def folders(module):
  """Folder → folders that use it needs, and why: (from, to) → {file: names}. Files beside the folders are 'module'."""
  files = sorted((SOURCES / module).rglob("*.swift"))
  lines = {path: code(path) for path in files}
  folder = {path: path.relative_to(SOURCES / module).parts[0] if path.parent != SOURCES / module else "." for path in files}
  home, member = defaultdict(set), defaultdict(set)
  types = {}
  for path in files:
    names, _ = declared(lines[path])
    for name in names: home[name].add(folder[path]); types[name] = folder[path]
  for path in files:
    for extended, name in declared(lines[path])[1]:
      if types.get(extended) != folder[path]: member[name].add(folder[path])
  # A member's name says whose it is only where no other member has it.
  common = defaultdict(set)
  for path in files:
    for line in lines[path]:
      if found := re.match(rf"\s+{MODIFIERS}(?:func|let|var|case)\s+(\w+)", line): common[found.group(1)].add(folder[path])
  arrows, why = {place: set() for place in set(folder.values())}, defaultdict(lambda: defaultdict(set))
  for path in files:
    here = folder[path]
    text = "\n".join(lines[path])
    local = set(re.findall(r"(?:func|let|var|case)\s+(\w+)", text))
    labels = set(re.findall(r"(\w+):", text))
    said = set(re.findall(r"\b[A-Z]\w*", text)) | set(re.findall(r"(?<![\w.])([a-z]\w*)[(<]", text)) - local
    said |= set(re.findall(r"(?<![\w.])([a-z]\w*)\b(?![:(<])", text)) - local - labels
    uttered = set(re.findall(r"\.(\w+)", text))
    for name in said:
      places = home.get(name, set())
      if len(places) == 1 and here not in places: target = next(iter(places)); arrows[here].add(target); why[here, target][path.name].add(name)
    for name in uttered:
      places = member.get(name, set())
      if len(places) == 1 and here not in places and common[name] <= places: target = next(iter(places)); arrows[here].add(target); why[here, target][path.name].add("." + name)
  return arrows, why


def show(arrows, indent=""):
  width = max(map(len, arrows))
  for place in ranked(arrows):
    print(f"{indent}{place:{width}} → {', '.join(sorted(arrows[place])) or '–'}")


def main():
  if sys.argv[1:2] == ["--why"]:
    module, here, there = sys.argv[2:5]
    for file, names in sorted(folders(module)[1][here, there].items()): print(f"{file}: {', '.join(sorted(names))}")
    return 0
  found = 0
  print("modules")
  arrows = modules()
  show(arrows, "  ")
  every = [("modules", arrows)]
  for module in ranked(arrows):
    inside = folders(module)[0] if any((SOURCES / module).rglob("*.swift")) else {}
    if len(inside) > 1: print(f"\n{module}"); show(inside, "  "); every.append((module, inside))
  for name, arrows in every:
    for circle in circles(arrows): print(f"\ncircle in {name}: {' ↔ '.join(circle)}"); found = 1
  return found


if __name__ == "__main__": sys.exit(main())
