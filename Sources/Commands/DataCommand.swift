// `distsgd data`: what can be trained on, and how a file is read.
import ArgumentParser
import DataFormats
import DistributedSGD
import MPI
import Runs
import System
import Text

struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "List the named data sets, or show how a file is read.",
    subcommands: [DataList.self, DataShow.self], defaultSubcommand: DataList.self)
}

struct DataList: JobCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the named data sets and the kinds of files.")

  @Flag(help: "Print one JSON object.")
  var json = false

  func run(on communicator: any Communicator) throws {
    guard communicator.rank == 0 else { return }
    if json {
      var line = JSONLine()
      line["sets"] = namedDataSets.map(entry)
      line["files"] = dataFileKinds.map(entry)
      standardOutput(line.description)
      return
    }
    let width = (namedDataSets + dataFileKinds).map(\.name.count).max() ?? 0
    standardOutput("named sets, for --data NAME:")
    for set in namedDataSets {
      standardOutput("  \(padded(set.name, width, left: true))  \(set.description)")
    }
    standardOutput("files, for --data PATH:")
    for kind in dataFileKinds {
      standardOutput("  \(padded(kind.name, width, left: true))  \(kind.description)")
    }
  }

  private func entry(_ set: (name: String, description: String)) -> JSONLine {
    var line = JSONLine()
    line["name"] = set.name
    line["description"] = set.description
    return line
  }
}

struct DataShow: JobCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show how a file is read: its spelling, and what each column holds.",
    discussion: "Takes the options by which train reads a table.")

  @Argument(help: ArgumentHelp("A file, or a named set.", valueName: "file"))
  var file: String

  @OptionGroup(title: "Data") var columns: ColumnArguments

  @Flag(help: "Print one JSON object.")
  var json = false

  func run(on communicator: any Communicator) throws {
    try communicator.agreeingOnErrors {
      guard communicator.rank == 0 else { return }
      var options = DataOptions()
      options.data = file
      columns.apply(to: &options)
      if let table = try describeTable(options) {
        if json { printJSON(table) } else { printText(table) }
      } else {
        let summary = try loadData(options).summary
        if json {
          var line = JSONLine()
          line["summary"] = summary
          standardOutput(line.description)
        } else {
          standardOutput(visible(summary))
        }
      }
    }
  }

  private func printText(_ table: TableDescription) {
    let header = table.headerLine.map { "row \($0) is the header" } ?? "no header"
    let comments =
      table.comments > 0 ? ", \(table.comments) comment\(table.comments == 1 ? "" : "s")" : ""
    standardOutput(
      "\(table.source): \(counted(table.rows, "row")), \(counted(table.columns.count, "column")); delimiter: \(table.delimiter), decimal \(table.decimalMark), \(table.encoding), \(header)\(comments)"
    )
    for note in table.notes { standardOutput("note: \(note)") }
    var rows = [["column", "name", "type", "role", "missing", "range", "examples"]]
    for (place, column) in table.columns.enumerated() {
      rows.append([
        "\(place + 1)", printable(column.name), column.type, column.role, "\(column.missing)", range(column),
        column.examples.map { printable($0, limit: 16) }.joined(separator: " | "),
      ])
    }
    standardOutput(String(alignedTable(rows).dropLast()))
  }

  private func range(_ column: TableDescription.Column) -> String {
    if let least = column.least, let greatest = column.greatest {
      return "\(short(least)) … \(short(greatest))"
    }
    guard column.type == "text" else { return "" }
    return column.textCount.map { "\($0) different" } ?? "too many to be categories"
  }

  private func short(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
  }

  private func printJSON(_ table: TableDescription) {
    var line = JSONLine()
    line["file"] = table.source
    line["rows"] = table.rows
    line["delimiter"] = table.delimiter
    line["decimalMark"] = table.decimalMark
    line["encoding"] = table.encoding
    line["headerLine"] = table.headerLine
    line["comments"] = table.comments
    line["notes"] = table.notes
    line["columns"] = table.columns.map { column in
      var line = JSONLine()
      line["name"] = column.name
      line["type"] = column.type
      line["role"] = column.role
      line["missing"] = column.missing
      line["least"] = column.least
      line["greatest"] = column.greatest
      line["texts"] = column.textCount
      line["examples"] = column.examples
      return line
    }
    standardOutput(line.description)
  }
}
