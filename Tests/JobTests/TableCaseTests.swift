// Tables as they lie about, through the program: what is right for each is a hash, a line, or both.
import Foundation
import TestSupport
import Testing

extension JobTests {
  @Suite struct TableCaseTests {
    private let folder = TemporaryFolder()

    /// Sixty rows of three numbers and a target of them, or what `last` makes of it.
    private static func rows(_ last: (Int, Double) -> String = { "\($1)" }) -> [String] {
      var numbers = MadeNumbers(11)
      return (0..<60).map { row in
        let x = (0..<3).map { _ in Double(Int(numbers.below(200)) - 100) / 8 + 0.0625 }
        return x.map { "\($0)" }.joined(separator: ",") + "," + last(row, x[0] - 2 * x[1] + x[2] / 4)
      }
    }

    private func hash(_ text: String, _ arguments: String, file: String = "table.csv") throws -> (
      hash: String, errors: String
    ) {
      let path = try folder.write(text, to: file)
      let out = folder("run-\(UInt32.random(in: 0 ... .max))")
      let outcome = try run(
        ["--data", path, "--quiet", "--output", out] + arguments.split(separator: " ").map(String.init))
      try #require(outcome.code == 0, "\(outcome)")
      return (try Trace(out + "/metrics.jsonl").finalHash, outcome.errors)
    }

    @Test func spellingsChangeNoBit() throws {
      let arguments = "--global-batch 20 --epochs 3 --lr 0.1"
      let rows = Self.rows()
      let plain = try hash("a,b,c,y\n" + rows.joined(separator: "\n"), arguments)
      #expect(plain.errors.isEmpty)
      let spellings = [
        "# made by lab\n# units: mm\na,b,c,y\n" + rows.joined(separator: "\n"),
        "a,b,c,y,\n" + rows.map { $0 + ",\n" }.joined(),
        "sep=;\na;b;c;y\n" + rows.joined(separator: "\n").replacing(",", with: ";"),
        "a;b;c;y\n" + rows.joined(separator: "\n").replacing(",", with: ";").replacing(".", with: ","),
        "0,1,2,3\n" + rows.joined(separator: "\n"),
      ]
      for text in spellings { #expect(try hash(text, arguments).hash == plain.hash, "\(text.prefix(40))") }
      for (header, first) in [(",a,b,c,y", 0), ("\"\",\"a\",\"b\",\"c\",\"y\"", 1)] {
        let index = try hash(
          header + "\n" + rows.enumerated().map { "\($0 + first),\($1)\n" }.joined(), arguments)
        #expect(index.hash == plain.hash && index.errors.contains("note: column 1 without a name"))
      }
    }

    @Test func classesChangeNoBit() throws {
      let arguments = "--task classification --global-batch 10 --epochs 5 --lr 0.5"
      func labelled(_ names: [String]) -> String {
        "a,b,c,y\n" + Self.rows { row, _ in names[row * 7 % names.count] }.joined(separator: "\n")
      }
      let plain = try hash(labelled(["0", "1", "2"]), arguments).hash
      for names in [["1", "2", "3"], ["0", "5", "9"], ["setosa", "versi", "virg"]] {
        #expect(try hash(labelled(names), arguments).hash == plain)
      }
      #expect(
        try hash(labelled(["setosa", "versi", "virg"]), "--global-batch 10 --epochs 5 --lr 0.5").hash == plain
      )
      let numbers = try hash(labelled(["0", "1", "2"]), "--global-batch 10")
      #expect(numbers.hash != plain && numbers.errors.contains("look like classes"))
      #expect(numbers.errors.contains("--task classification"))
    }

    @Test func missingRowsAreLeftOut() throws {
      let arguments = "--global-batch 10 --epochs 3 --lr 0.05"
      var rows = Self.rows()
      let fields = rows[4].split(separator: ",")
      let without = try hash("a,b,c,y\n" + (rows[..<4] + rows[5...]).joined(separator: "\n"), arguments).hash
      for word in ["?", "", "NA"] {
        rows[4] = "\(fields[0]),\(word),\(fields[2]),\(fields[3])"
        let text = "a,b,c,y\n" + rows.joined(separator: "\n")
        #expect(try hash(text, arguments + " --missing drop").hash == without)
        let refused = try run(["--data", try folder.write(text, to: "m.csv"), "--quiet"])
        #expect(refused.code == 65 && refused.errors.contains("row 6, column 'b'"), "\(refused)")
        #expect(refused.errors.contains("--missing mean"), "\(refused)")
      }
    }

    @Test func aSmallTableIsOneBatch() throws {
      let text = "a,b,c,y\n" + Self.rows().joined(separator: "\n")
      let small = try hash(text, "--epochs 3")
      #expect(small.errors.contains("note: the global batch is all 60 examples"))
      #expect(try hash(text, "--epochs 3 --global-batch 60").hash == small.hash)
      let larger = try run(["--data", folder("table.csv"), "--global-batch", "61"])
      #expect(larger.code == 64 && larger.errors.contains("use at most 60"), "\(larger)")
    }

    /// Text, booleans, missing values and an identifier, from training to prediction and back.
    @Test func aTableOfPassengers() throws {
      var numbers = MadeNumbers(5)
      var text = "PassengerId,Survived,Class,Name,Sex,Age,Port,Alone\n"
      for row in 0..<200 {
        let isWoman = numbers.below(2) == 1
        let age = numbers.below(4) == 0 ? "" : "\(numbers.below(80))"
        text += "\(row + 1),\(numbers.below(4) == 0 ? "no" : isWoman ? "yes" : "no"),\(numbers.below(3) + 1),"
        text += "\"Doe, \"\"J\"\" \(row)\",\(isWoman ? "female" : "male"),\(age),"
        text += "\(["S", "C", "Q", ""][Int(numbers.below(16)) / 5]),\(row % 3 == 0)\n"
      }
      let data = try folder.write(text, to: "passengers.csv")
      let outcome = try run(
        ranks: 3,
        [
          "--data", data, "--target", "Survived", "--exclude", "Name", "--id", "PassengerId", "--missing",
          "mean",
          "--epochs", "20", "--shards", "3", "--quiet", "--output", folder("run"),
        ])
      try #require(outcome.code == 0, "\(outcome)")
      let new = try folder.write(
        "Age,Sex,PassengerId,Port,Class,Alone\n30,female,A-1,S,1,True\n,male,B-2,Hull,,\n", to: "new.csv")
      let predicted = try run(["predict", "--model", folder("run/model.safetensors"), "--data", new])
      try #require(predicted.code == 0, "\(predicted)")
      let lines = predicted.output.split(separator: "\n").map { $0.split(separator: ",") }
      #expect(lines[0] == ["PassengerId", "class", "p_no", "p_yes"])
      #expect(lines.count == 3 && lines[1][..<2] == ["A-1", "yes"] && lines[2][..<2] == ["B-2", "no"])
      #expect(predicted.errors.contains("'Hull' in column 'Port'"), "\(predicted)")
      let evaluated = try run(["evaluate", "--model", folder("run/model.safetensors"), "--data", data])
      #expect(evaluated.code == 0 && evaluated.output.contains("yes"), "\(evaluated)")
      let again = try run(ranks: 2, ["reproduce", folder("run/model.safetensors")])
      #expect(again.code == 0 && again.output.contains("reproduced"), "\(again)")
    }

    @Test func aFileIsShown() throws {
      let path = try folder.write(
        "# x\n;a;b;y\n0;1,5;red;10\n1;2,5;;20\n2;3,5;blue;30\n", to: "shown.csv")
      let shown = try run(["data", "show", path])
      for words in [
        "3 rows, 4 columns", "delimiter: semicolon", "decimal comma", "row 2 is the header", "1 comment",
        "1.5 … 3.5", "2 different", "target", "left out",
      ] {
        #expect(shown.code == 0 && shown.output.contains(words), "\(words): \(shown)")
      }
      let json = try run(["data", "show", path, "--json"])
      #expect(json.output.contains(#""name":"b","type":"text","role":"input","missing":1"#), "\(json)")
      let list = try run(["data"])
      #expect(
        list.code == 0 && list.output.contains("fashion-mnist") && list.output.contains("xy.npz"), "\(list)")
    }
  }
}
