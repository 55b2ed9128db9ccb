// What the doctor says: one line a finding, with the command that mends it.
import System
import Text

/// Something that was looked at.
package struct Finding: Equatable, Sendable {
  package enum Level: String, Sendable, CaseIterable {
    /// As it should be.
    case ok
    /// A job runs, but slower than it could, or not everywhere.
    case warning
    /// A job does not run, or computes wrongly.
    case fault
  }

  package var level: Level
  /// What was looked at, in a word or two.
  package var subject: String
  package var text: String
  /// A line for a shell that mends it, where one does.
  package var command: String?

  package init(_ level: Level, _ subject: String, _ text: String, mendedBy command: String? = nil) {
    self.level = level
    self.subject = subject
    self.text = text
    self.command = command
  }

  /// `warning  slots    …; mend it by: export …`
  var line: String {
    let names = "\(padded(level.rawValue, 7, left: true))  \(padded(subject, 13, left: true))"
    let start = "\(names)  \(visible(text))"
    return command.map { "\(start); mend it by:  \(visible($0))" } ?? start
  }

  var json: JSONLine {
    var line = JSONLine()
    line["level"] = level.rawValue
    line["subject"] = subject
    line["text"] = text
    line["command"] = command
    return line
  }
}

/// All findings of an examination.
package struct DoctorReport: Sendable {
  package var findings: [Finding]
  let ranks: Int
  let hosts: [String]

  package init(findings: [Finding], ranks: Int, hosts: [String]) {
    self.findings = findings
    self.ranks = ranks
    self.hosts = hosts
  }

  private func count(_ level: Finding.Level) -> Int { findings.count { $0.level == level } }

  /// Whether a job cannot run as it should.
  package var hasFault: Bool { count(.fault) > 0 }

  /// A line for every finding, and their sum.
  package var text: String {
    let (faults, warnings) = (count(.fault), count(.warning))
    let sum =
      faults + warnings == 0
      ? "nothing is wrong" : "\(counted(faults, "fault")), \(counted(warnings, "warning"))"
    return findings.map { $0.line + "\n" }.joined() + sum
  }

  package var json: JSONLine {
    var line = JSONLine()
    line["ranks"] = ranks
    line["hosts"] = hosts
    line["faults"] = count(.fault)
    line["warnings"] = count(.warning)
    line["findings"] = findings.map(\.json)
    return line
  }

  /// Findings in the JSON text of another report; nil where it is none.
  package static func findings(inJSON text: Substring) -> [Finding]? {
    var findings: [Finding]?
    var text = String(text)
    text.withUTF8 { bytes in
      var scanner = JSONScanner(UnsafeRawBufferPointer(bytes))
      try? scanner.object { scanner, key in
        if key == "findings" {
          findings = try scanner.array { try Self.finding(&$0) }
        } else {
          try scanner.skipValue()
        }
      }
    }
    return findings
  }

  private static func finding(_ scanner: inout JSONScanner) throws -> Finding {
    var finding = Finding(.ok, "", "")
    try scanner.object { scanner, key in
      switch key {
      case "level": finding.level = Finding.Level(rawValue: try scanner.string()) ?? .fault
      case "subject": finding.subject = try scanner.string()
      case "text": finding.text = try scanner.string()
      // A finding without a command has null.
      case "command": finding.command = try? scanner.string()
      default: try scanner.skipValue()
      }
      if key == "command", finding.command == nil { try scanner.skipValue() }
    }
    return finding
  }
}
