// The page of the manual, made from what the program takes: `distsgd --generate-manual`, for launch/install.
import ArgumentParser
import Runs
import Text

struct Manual {
  private let program = CommandDescription(of: Distsgd.self)

  static func isAskedFor(in words: [String]) -> Bool { words == ["--generate-manual"] }

  /// In the language of man(7).
  var text: String {
    var lines = [
      ".TH DISTSGD 1 \"\" \"distsgd \(version)\" \"User Commands\"", ".ad l", ".SH NAME",
      "distsgd \\- \(escaped(lowerCased(program.abstract)))", ".SH SYNOPSIS", ".nf",
      "distsgd [train] [OPTIONS]", "mpirun \\-np P distsgd [train] [OPTIONS]",
    ]
    let commands = program.subcommands.filter { $0.isShown && $0.name != "help" }
    for command in commands where command.name != "train" {
      let words =
        command.subcommands.isEmpty ? "" : " " + command.subcommands.map(\.name).joined(separator: "|")
      let positional = command.arguments.filter { $0.kind == .positional }.map {
        " " + $0.valueName.uppercased()
      }
      lines.append("distsgd \(escaped(command.name + words + positional.joined())) [OPTIONS]")
    }
    lines += [".fi", ".SH DESCRIPTION"] + paragraphs(program.discussion)
    for command in commands {
      lines += [".SH \"\(escaped(command.name.uppercased()))\""] + description(of: command)
      for part in command.subcommands where part.isShown {
        lines += [".SS \"\(escaped("\(command.name) \(part.name)"))\""] + description(of: part)
      }
    }
    lines += Self.end
    return lines.joined(separator: "\n")
  }

  private func description(of command: CommandDescription) -> [String] {
    var lines =
      paragraphs(command.abstract)
      + (command.discussion.isEmpty ? [] : [".PP"] + paragraphs(command.discussion))
    var section = ""
    for argument in command.arguments where argument.isShown && !isOfAll(argument) {
      if argument.section != section {
        section = argument.section
        if !section.isEmpty { lines += [".PP", "\\fI\(escaped(section))\\fR"] }
      }
      let value = argument.kind == .flag ? "" : " \\fI\(escaped(argument.valueName))\\fR"
      let names =
        argument.kind == .positional
        ? "\\fI\(escaped(argument.valueName))\\fR"
        : argument.names.map { "\\fB\(escaped($0))\\fR" }.joined(separator: ", ") + value
      let isTold = argument.defaultValue == nil || argument.text.contains("(default:")
      let text = argument.text + (isTold ? "" : " (default: \(argument.defaultValue ?? ""))")
      lines += [".TP", names] + paragraphs(text)
    }
    return lines
  }

  /// Help and version are every command's, and told once.
  private func isOfAll(_ argument: CommandDescription.Argument) -> Bool {
    argument.names.contains("--help") || argument.names.contains("--version")
  }

  private func paragraphs(_ text: String) -> [String] {
    text.split(separator: "\n", omittingEmptySubsequences: false).map {
      $0.isEmpty ? ".PP" : escaped(String($0))
    }
  }

  private func lowerCased(_ text: String) -> String {
    text.prefix(1).lowercased() + text.dropFirst().filter { $0 != "." }
  }

  /// What roff would take for its own.
  private func escaped(_ text: String) -> String {
    var result = ""
    for character in text {
      switch character {
      case "\\": result += "\\e"
      case "-": result += "\\-"
      // A terminal without UTF-8 would show nothing.
      case "…": result += "..."
      default: result.append(character)
      }
    }
    return result.hasPrefix(".") || result.hasPrefix("'") ? "\\&" + result : result
  }

  private static let end = [
    ".SH \"EXIT STATUS\"",
    "0 done; 64 usage; 65 bad data; 66 no such input; 70 internal, or a rank did not come or went",
    "astray; 73 cannot create output; 74 cannot read or write; 75 stopped on request, with a checkpoint; 76 the loss is no",
    "number; of", ".B doctor", "1: something is wrong.", ".SH FILES",
    "A run's folder has metrics.jsonl, timings.csv, model.safetensors, config.yaml and checkpoints/.",
    ".SH \"SEE ALSO\"", ".BR mpirun (1)",
  ]
}
