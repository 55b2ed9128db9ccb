#!/usr/bin/env python3
"""Public declarations of Sources without a /// comment; prints them, and ends with 1 where there are any.

    Tests/Structure/public.py [ROOT]     ROOT holds the folder Sources; this repository, if it is not said

Asked for are public types, their public members, the cases of public enums and what public protocols require. What a
protocol of Sources requires is told at the protocol: not again by who conforms to it, nor by its default. `description`,
`==`, `hash(into:)` and `rawValue` are told by Swift.
"""
import re
import sys
from pathlib import Path

KINDS = "struct|enum|class|actor|protocol|extension|typealias|associatedtype|func|var|let|case|init|subscript"
MODIFIER = (
  r"(?:@\w+(?:\([^)]*\))?|(?:public|open|package|internal|private|fileprivate)(?:\(set\))?|final|static|mutating|nonmutating"
  r"|nonisolated(?:\(\w+\))?|indirect|override|convenience|required|lazy|weak|unowned(?:\(\w+\))?|borrowing|consuming)\s+")
DECLARATION = re.compile(rf"^(?P<indent>\s*)(?P<modifiers>(?:{MODIFIER})*)(?P<kind>{KINDS})\b\s*(?P<rest>.*)")
TYPES = {"struct", "enum", "class", "actor", "protocol", "extension"}
OF_SWIFT = {"description", "==(_:_:)", "hash(into:)", "rawValue", "init(rawValue:)"}


class Declaration:
  """What a line declares. `owner` is the declaration around it, `signature` its name with the parameters' labels."""
  def __init__(self, place, kind, rest, is_public, is_documented, owner):
    self.place, self.kind, self.is_public, self.is_documented, self.owner = place, kind, is_public, is_documented, owner
    name = re.match(r"[\w.`]+|[=<>!+*/-]+", rest)
    self.name = "init" if kind == "init" else name.group().strip("`") if name else kind
    self.signature = self.name + labels(rest) if kind in ("func", "init", "subscript") else self.name
    inherited = re.match(r"[\w.]+(?:<[^>]*>)?\s*:\s*([^{]*)", rest) if kind in TYPES else None
    self.inherits = set(re.findall(r"\w+", inherited.group(1))) if inherited else set()

  @property
  def path(self): return (self.owner.path + "." if self.owner else "") + self.signature


def labels(rest):
  """`(_:to:)` of a parameter list."""
  text, depth, parts, word = rest[rest.find("("):], 0, [], ""
  for letter in text:
    if letter in "([{<": depth += 1; word += letter if depth > 1 else ""; continue
    if letter in ")]}>" and not word.endswith("-"): depth -= 1
    if depth == 0: break
    if letter == "," and depth == 1: parts.append(word); word = ""
    else: word += letter
  return "(" + "".join(re.match(r"\w+", part.strip()).group() + ":" for part in [*parts, word] if part.strip()) + ")"


def declarations(path, root):
  """All declarations of a file that are not inside a body."""
  raw = path.read_text().splitlines()
  lines = [re.sub(r'"(?:\\.|[^"\\])*"', '""', line) for line in raw]
  scopes = []  # (indent, declaration or None)
  is_documented = is_in_text = False
  for number, line in enumerate(lines, 1):
    if raw[number - 1].count('"""') % 2: is_in_text = not is_in_text; continue
    text = line.strip()
    if is_in_text: continue
    if text.startswith("///"): is_documented = True; continue
    if re.fullmatch(r"@\w+(\([^)]*\))?( @\w+(\([^)]*\))?)*", text) or text.startswith("//") and is_documented: continue
    indent = len(line) - len(line.lstrip())
    if text and text[0] not in ")}#":
      while scopes and indent <= scopes[-1][0]: scopes.pop()
    found = DECLARATION.match(line)
    if found and (not scopes or scopes[-1][1] is not None and indent == scopes[-1][0] + 2):
      owner, kind, modifiers = scopes[-1][1] if scopes else None, found["kind"], found["modifiers"]
      rest = found["rest"].split("//")[0]
      for further in lines[number:number + 12]:
        if "{" in rest or kind not in TYPES | {"func", "init", "subscript"}: break
        if kind not in TYPES and rest.count("(") == rest.count(")"): break
        rest += " " + further.strip()
      is_public = bool(re.search(r"\b(?:public|open)\s", modifiers)) or bool(
        owner and owner.is_public and not re.search(r"package|private|internal", modifiers)
        and (owner.kind == "protocol" or kind == "case"))
      if owner and owner.kind != "extension" and not owner.is_public: is_public = False
      one = Declaration(f"{path.relative_to(root)}:{number}", kind, rest, is_public, is_documented, owner)
      yield one
      scopes.append((indent, one if kind in TYPES else None))
    elif text.endswith("{") and text[0] not in ")}": scopes.append((indent, None))
    is_documented = False


def undocumented(root):
  every = [one for path in sorted((root / "Sources").rglob("*.swift")) for one in declarations(path, root)]
  inherits, requirements = {}, {}
  for one in every:
    if one.kind in TYPES: inherits.setdefault(one.name, set()).update(one.inherits)
    if one.owner and one.owner.kind == "protocol": requirements.setdefault(one.owner.name, set()).add(one.signature)

  def told(name):
    """What a type's or a protocol's protocols require."""
    seen, todo = set(), [name]
    while todo:
      this = todo.pop()
      if this not in seen: seen.add(this); todo += inherits.get(this, ())
    return set().union(*(requirements.get(this, set()) for this in seen))

  for one in every:
    if not one.is_public or one.is_documented or one.kind == "extension" or one.signature in OF_SWIFT: continue
    is_requirement = one.owner and one.owner.kind == "protocol"
    if one.owner and not is_requirement and one.signature in told(one.owner.name): continue
    yield one


def main():
  root = Path(sys.argv[1]).resolve() if sys.argv[1:] else Path(__file__).resolve().parents[2]
  found = list(undocumented(root))
  for one in found: print(f"{one.place}: {one.path} is public and has no comment")
  return 1 if found else 0


if __name__ == "__main__": sys.exit(main())
