// Files of made-up runs, and pages taken apart.
import Foundation
import Report
import TestSupport
import Testing

/// A run of made-up files.
struct MadeRun {
  let folder = TemporaryFolder()

  static let runEvent =
    #"{"event":"run","id":"1","data":"made","globalBatch":128,"learningRate":0.1,"optimizer":"sgd","stepsPerEpoch":10,"shards":4,"ranks":4,"servers":2,"hosts":["ann","bob"],"serverOfRank":[0,0,1,1],"batchArithmetic":"global batch 128 = 4 ranks × 32 examples","warmup":null}"#

  static func step(_ step: Int, loss: String) -> String {
    #"{"event":"step","step":\#(step),"epoch":\#((step + 9) / 10),"examples":\#(128 * step),"loss":\#(loss),"gradientNorm":0.5,"learningRate":0.1,"noiseScale":\#(100 + step),"seconds":\#(Double(step) / 100)}"#
  }

  static func evaluation(_ epoch: Int, loss: Double, accuracy: Double) -> String {
    #"{"event":"evaluation","set":"validation","epoch":\#(epoch).0,"step":\#(10 * epoch),"examples":\#(1280 * epoch),"seconds":\#(Double(epoch) / 10),"loss":\#(loss),"accuracy":\#(accuracy)}"#
  }

  static func epoch(_ epoch: Int) -> String {
    #"{"event":"epoch","epoch":\#(epoch),"examples":\#(1280 * epoch),"seconds":\#(Double(epoch) / 10),"loss":0.5}"#
  }

  static let end =
    #"{"event":"end","loss":0.4321,"accuracy":0.9,"seconds":0.3,"secondsPerEpoch":0.1,"parameterHash":"00c0ffee00c0ffee","classes":["cat","dog"],"confusion":[[7,1],[2,30]]}"#

  /// Three epochs of ten steps on four ranks.
  static var metrics: [String] {
    var lines = [runEvent]
    for epoch in 1...3 {
      for number in 1...10 {
        lines.append(step(10 * (epoch - 1) + number, loss: "\(1 / Double(epoch * 10 + number))"))
      }
      lines += [
        evaluation(epoch, loss: 0.6 / Double(epoch), accuracy: 0.3 * Double(epoch)), Self.epoch(epoch),
      ]
    }
    return lines + [end]
  }

  /// Rank 2 works three times as long as the others, which wait for it.
  static var timings: String {
    var text = "epoch,host,rank,local_rank,phase,count,seconds,mean_us,p50_us,p99_us,max_us\n"
    for epoch in 1...3 {
      for rank in 0..<4 {
        let work = rank == 2 ? 0.06 : 0.02
        for (phase, seconds) in [("forward", work), ("wait", 0.07 - work), ("evaluate", 0.01)] {
          text += "\(epoch),\(rank < 2 ? "ann" : "bob"),\(rank),\(rank % 2),\(phase),10,\(seconds),1,1,1,1\n"
        }
      }
    }
    return text
  }

  static var heat: String {
    var text = "epoch,first_step,last_step,rank,own_seconds,wait_seconds\n"
    for epoch in 1...3 {
      for first in stride(from: 10 * epoch - 9, to: 10 * epoch, by: 5) {
        for rank in 0..<4 {
          text += "\(epoch),\(first),\(first + 4),\(rank),\(rank == 2 ? 0.03 : 0.01),0.005\n"
        }
      }
    }
    return text
  }

  static let waits =
    "epoch,rank,for_rank,count,seconds\n1,0,2,10,0.05\n1,1,2,9,0.04\n1,3,2,10,0.05\n2,0,2,10,0.05\n"

  static let use =
    "epoch,host,rank,wall_seconds,cpu_seconds,voluntary_switches\n1,ann,0,0.1,0.05,7\n2,ann,0,0.1,0.05,5\n1,bob,2,0.1,0.09,1\n"

  @discardableResult
  func write(_ name: String, metrics: [String] = metrics, ending: String = "\n") throws -> String {
    try FileManager.default.createDirectory(atPath: folder(name), withIntermediateDirectories: true)
    try folder.write(metrics.joined(separator: "\n") + ending, to: name + "/metrics.jsonl")
    return folder(name)
  }

  /// With all of its files.
  func writeAll(_ name: String) throws -> String {
    let path = try write(name)
    for (file, text) in [
      ("timings", Self.timings), ("heatmap", Self.heat), ("waits", Self.waits), ("ranks", Self.use),
    ] {
      try folder.write(text, to: "\(name)/\(file).csv")
    }
    return path
  }
}

/// The page of what the paths name.
func page(_ paths: String...) throws -> String { RunReport(try Sources(paths)).html }

/// A page's elements, and what is wrong with them as HTML: it reads what a browser reads, and takes nothing as given.
struct Markup {
  private(set) var problems: [String] = []
  private(set) var texts: [String] = []

  private static let elements: Set<String> = [
    "html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "section", "p", "pre", "div",
    "table", "thead",
    "tbody", "tr", "th", "td", "figure", "figcaption", "details", "summary", "svg", "rect", "line", "path",
    "text", "img",
  ]
  private static let attributes: Set<String> = [
    "lang", "charset", "name", "content", "class", "tabindex", "role", "aria-label", "scope", "xmlns",
    "width", "height",
    "viewBox", "x", "y", "x1", "x2", "y1", "y2", "d", "font-size", "font-weight", "text-anchor", "transform",
    "stroke-dasharray", "alt", "src",
  ]
  private static let void: Set<String> = ["meta", "img"]

  init(_ html: String) {
    var rest = Substring(html)
    guard rest.hasPrefix("<!DOCTYPE html>\n") else {
      problems.append("no DOCTYPE")
      return
    }
    rest = rest.dropFirst("<!DOCTYPE html>\n".count)
    var open: [String] = []
    while let start = rest.firstIndex(of: "<") {
      let text = rest[..<start]
      if text.contains(">") && open.last != "style" {
        problems.append("'>' in the text '\(text.suffix(40))'")
      }
      if !text.allSatisfy(\.isWhitespace), open.last != "style" { texts.append(Self.unescaped(text)) }
      rest = rest[rest.index(after: start)...]
      guard let end = rest.firstIndex(of: ">") else {
        problems.append("a tag has no end")
        return
      }
      let tag = rest[..<end]
      rest = rest[rest.index(after: end)...]
      if tag.hasPrefix("/") {
        if open.popLast() != String(tag.dropFirst()) { problems.append("<\(tag)> closes another element") }
        continue
      }
      let name = String(tag.prefix { $0.isLetter || $0.isNumber })
      if !Self.elements.contains(name) { problems.append("the element <\(tag.prefix(60))>") }
      check(tag.dropFirst(name.count), of: name)
      if !tag.hasSuffix("/"), !Self.void.contains(name) { open.append(name) }
    }
    if !open.isEmpty { problems.append("not closed: \(open)") }
  }

  private mutating func check(_ attributes: Substring, of element: String) {
    var rest = attributes
    while true {
      rest = rest.drop { $0 == " " || $0 == "\n" || $0 == "/" }
      if rest.isEmpty { return }
      let name = String(rest.prefix { $0 != "=" })
      rest = rest.dropFirst(name.count)
      guard rest.hasPrefix("=\""), let end = rest.dropFirst(2).firstIndex(of: "\"") else {
        problems.append("an attribute of <\(element)>: '\(attributes.prefix(80))'")
        return
      }
      let value = rest[rest.index(rest.startIndex, offsetBy: 2)..<end]
      if !Self.attributes.contains(name) { problems.append("the attribute \(name) of <\(element)>") }
      if name == "src", !value.hasPrefix("data:image/svg+xml;base64,") {
        problems.append("src is \(value.prefix(60))")
      }
      rest = rest[rest.index(after: end)...]
    }
  }

  private static func unescaped(_ text: Substring) -> String {
    text.replacingOccurrences(of: "&lt;", with: "<").replacingOccurrences(of: "&gt;", with: ">")
      .replacingOccurrences(of: "&quot;", with: "\"").replacingOccurrences(of: "&#39;", with: "'")
      .replacingOccurrences(of: "&amp;", with: "&")
  }
}
