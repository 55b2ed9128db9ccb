// What ArgumentParser tells of a command: its options by all their names, and its subcommands.
import ArgumentParser
import System

struct CommandDescription {
  struct Argument {
    enum Kind: String { case positional, option, flag }

    var kind = Kind.option
    /// With their dashes.
    var names: [String] = []
    var valueName = ""
    var text = ""
    var defaultValue: String?
    var section = ""
    var isRepeating = false
    var isShown = true
  }

  var name = ""
  var abstract = ""
  var discussion = ""
  var arguments: [Argument] = []
  var subcommands: [CommandDescription] = []
  var isShown = true

  init(of command: any ParsableCommand.Type) {
    var text = command._dumpHelp()
    text.withUTF8 { bytes in
      var scanner = JSONScanner(UnsafeRawBufferPointer(bytes))
      // A text of another form describes nothing.
      try? scanner.object { scanner, key in
        if key == "command" { self = try Self(&scanner) } else { try scanner.skipValue() }
      }
    }
  }

  private init() {}

  private init(_ scanner: inout JSONScanner) throws {
    var found = CommandDescription()
    try scanner.object { scanner, key in
      switch key {
      case "commandName": found.name = try scanner.string()
      case "abstract": found.abstract = try scanner.string()
      case "discussion": found.discussion = try scanner.string()
      case "shouldDisplay": found.isShown = try scanner.boolean()
      case "arguments": found.arguments = try scanner.array { try Self.argument(&$0) }
      case "subcommands": found.subcommands = try scanner.array { try Self(&$0) }
      default: try scanner.skipValue()
      }
    }
    self = found
  }

  private static func argument(_ scanner: inout JSONScanner) throws -> Argument {
    var argument = Argument()
    try scanner.object { scanner, key in
      switch key {
      case "kind": argument.kind = Argument.Kind(rawValue: try scanner.string()) ?? .option
      case "names": argument.names = try scanner.array { try Self.name(&$0) }
      case "valueName": argument.valueName = try scanner.string()
      case "abstract": argument.text = try scanner.string()
      case "defaultValue": argument.defaultValue = try scanner.string()
      case "sectionTitle": argument.section = try scanner.string()
      case "isRepeating": argument.isRepeating = try scanner.boolean()
      case "shouldDisplay": argument.isShown = try scanner.boolean()
      default: try scanner.skipValue()
      }
    }
    return argument
  }

  private static func name(_ scanner: inout JSONScanner) throws -> String {
    var (dashes, name) = ("-", "")
    try scanner.object { scanner, key in
      switch key {
      case "kind": dashes = try scanner.string() == "long" ? "--" : "-"
      case "name": name = try scanner.string()
      default: try scanner.skipValue()
      }
    }
    return dashes + name
  }
}
