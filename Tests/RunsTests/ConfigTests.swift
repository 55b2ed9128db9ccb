// Files of options: what is read of YAML, what is refused and where, and what a run writes of itself.
import Runs
import System
import Testing

@Suite struct ConfigTests {
  private func members(_ text: String) throws -> [String] {
    try YAMLMapping(Array(text.utf8), path: "c.yaml").members.map { member in
      switch member.value {
      case .word(let word, let isQuoted): "\(member.line) \(member.key)=\(word)\(isQuoted ? " quoted" : "")"
      case .list(let words): "\(member.line) \(member.key)=[\(words.joined(separator: "|"))]"
      }
    }
  }

  @Test(
    arguments: [
      ("", []), ("# nothing\n", []), ("---\n# nothing\n", []), ("epochs: 3\n", ["1 epochs=3"]),
      ("\u{FEFF}epochs: 3", ["1 epochs=3"]), ("epochs: 3\r\nlr: 1e-3\r\n", ["1 epochs=3", "2 lr=1e-3"]),
      ("# a\n\na: 'x y' # why\nb: \"x\\ty\"\n", ["3 a=x y quoted", "4 b=x\ty quoted"]),
      ("a: [x, 'y, z', 3]\nb:\n  - x\n  - y z\n", ["1 a=[x|y, z|3]", "2 b=[x|y z]"]),
      ("a: []\n", ["1 a=[]"]), ("{a: 1, b: true}\n", ["1 a=1", "1 b=true"]),
      ("a: x\n  y\n", ["1 a=x y"]), ("a: |\n  x\n", ["1 a=x\n quoted"]), ("a: ''\n", ["1 a= quoted"]),
      ("a: ü α\n", ["1 a=ü α"]), ("a: x:y,z=1\n", ["1 a=x:y,z=1"]),
      ("a: dense:256 relu\n", ["1 a=dense:256 relu"]),
    ] as [(String, [String])])
  func whatIsRead(_ text: String, _ expected: [String]) throws {
    #expect(try members(text) == expected)
  }

  @Test(
    arguments: [
      ("a: 1\na: 2\n", 2, "stands in line 1 already"), ("a:\n", 1, "has no value"),
      ("a: ~\n", 1, "has no value"),
      ("x: 1\na: {b: 1}\n", 2, "options of its own"), ("a:\n  b: 1\n", 2, "options of its own"),
      ("a: [[1]]\n", 1, "more than words"), ("- a\n", 1, "there should be options"),
      ("word\n", 1, "there should be options"), ("a: &x 1\n", 1, "anchors"), ("a: !!int 1\n", 1, "anchors"),
      ("b: 1\na: *x\n", 2, "aliases"), ("? [a]\n: 1\n", 1, "the name of an option"),
      ("a: 1\n---\nb: 2\n", 2, "second document"), ("a: [1\n", 2, "no YAML"), ("a: 'x\n", 2, "no YAML"),
      ("a: 1\n\tb: 2\n", 2, "no YAML"), ("a: \u{1}\n", 1, "no YAML"), ("a: %x\n", 1, "no YAML"),
    ] as [(String, Int, String)])
  func whatIsRefused(_ text: String, _ line: Int, _ words: String) throws {
    do {
      let found = try members(text)
      Issue.record("\(found)")
    } catch let error as DistsgdError {
      #expect(error.code == .badData, "\(error)")
      #expect(error.description.hasPrefix("--config c.yaml line \(line): "), "\(error)")
      #expect(error.description.contains(words), "\(error)")
    }
  }

  /// Every prefix of a file, and every file with a byte changed, is read or refused.
  @Test func damageIsNoCrash() {
    let text = Array("# c\na: [x, 'y']\nb: \"\\u00e4\"\nc:\n - 1\n - {x: &y *y}\n--- !t\n".utf8)
    for end in text.indices { _ = try? YAMLMapping(Array(text[..<end]), path: "c") }
    for place in text.indices {
      for byte in [0, 9, 10, 38, 42, 58, 91, 123, 0x80, 0xC3, 0xFF] as [UInt8] {
        var changed = text
        changed[place] = byte
        _ = try? YAMLMapping(changed, path: "c")
      }
    }
  }

  @Test func whatARunWritesIsReadAsItWas() throws {
    let settings = [
      "--data": "odd 'name'\n\u{1B}[0m: #x.csv", "--epochs": "3", "--learning-rate": "0.001", "--swa": "true",
      "--standardize": "false", "--model": "dense:8 relu dense", "--missing-value": "\"a,b\",-999",
      "--target": "yes",
      "--id": "~", "--weight": "0x10", "--exclude": "",
    ]
    let text = configText(settings, comments: ["a run\nquiet: true"])
    let read = try YAMLMapping(Array(text.utf8), path: "c.yaml").members
    let words = Dictionary(
      uniqueKeysWithValues: read.map { member in
        guard case .word(let word, _) = member.value else { return (member.key, "a list") }
        return ("--" + member.key, word)
      })
    #expect(words == settings)
  }

  @Test(
    arguments: [
      ("90s", 90), ("55m", 3300), ("3.5h", 12600), ("2d", 172_800), ("1h30m", 5400), ("90", 90), ("1", 1),
    ] as [(String, Double)])
  func timeLimits(_ text: String, _ seconds: Double) throws {
    let limit = try #require(TimeLimit(text))
    #expect(limit.seconds == seconds && TimeLimit(limit.description) == limit)
  }

  @Test(arguments: [
    "", "m", "0s", "-1m", "1w", "1h30", "inf", "nanh", "1e3s", "0.1s", "9999999d", "5 m", "m5",
  ])
  func noTimeLimits(_ text: String) { #expect(TimeLimit(text) == nil || text == "1h30") }
}
