// Names within commands that a user may give to a shell as they are printed.

/// A text as one word of a command; a file's name that begins with - is made to look like none of its flags.
package func shellWord(_ text: String, isPath: Bool = true) -> String {
  let word = isPath && text.hasPrefix("-") ? "./" + text : text
  let isPlain = word.utf8.allSatisfy { byte in
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "_"),
      UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "="), UInt8(ascii: ":"), UInt8(ascii: ","):
      true
    default: false
    }
  }
  guard !isPlain || word.isEmpty else { return word }
  return "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
}
