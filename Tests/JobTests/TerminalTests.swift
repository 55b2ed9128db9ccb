// What a person sees: the bar on a terminal, the lines without one, lines as objects, help, the manual and completions.
import Foundation
import TestSupport
import Testing

extension JobTests {
  @Suite struct TerminalTests {
    private let folder = TemporaryFolder()

    /// The program on a terminal of so many columns; mpirun passes its ranks none, so one process.
    private func onTerminal(_ columns: Int, _ words: [String]) throws -> Outcome {
      try Child(
        "python3", [packageFolder + "/Tests/terminal.py", "\(columns)", distsgd] + words,
        environment: mpiEnvironment.merging(["OPENBLAS_CORETYPE": nil]) { $1 }, directory: folder.path
      ).wait(limit: 120)
    }

    /// What was drawn over itself.
    private func drawings(_ text: String) -> [String] {
      text.components(separatedBy: "\r\u{1B}[K").dropFirst().map {
        String($0.prefix { $0 != "\r" && $0 != "\n" && $0 != "\r\n" })
      }.filter { !$0.isEmpty }
    }

    private let job = [
      "--data", "synthetic:20000,200", "--model", "mlp:128", "--lr", "0.001", "--validation", "0.1",
    ]

    @Test(arguments: [120, 60, 30]) func aBarOnATerminal(_ columns: Int) throws {
      let outcome = try onTerminal(columns, job + ["--epochs", "160", "--output", "run"])
      try #require(outcome.code == 0, "\(outcome)")
      let bars = drawings(outcome.output).filter { $0.contains("%") }
      #expect(bars.count > 3, "\(outcome)")
      #expect(bars.allSatisfy { $0.count < columns && ($0.hasPrefix("━") || $0.hasPrefix("─")) }, "\(bars)")
      #expect(bars.contains { $0.contains("loss ") } || columns == 30)
      if columns == 120 {
        #expect(bars.contains { $0.contains(" left") && $0.contains("examples/s") }, "\(bars)")
        // A falling loss, at most sixteen bars of it.
        let sparks = bars.map { $0.filter { "▁▂▃▄▅▆▇█".contains($0) } }
        #expect(sparks.allSatisfy { $0.count <= 16 } && sparks.contains { $0.first == "█" && $0.last == "▁" })
      }
      // The bar is gone before a line is printed, and the last line is the usual one.
      let lines = outcome.output.split(whereSeparator: \.isNewline).map(String.init)
      #expect(
        lines.last?.hasPrefix("loss: ") == true && lines.last?.hasSuffix("sec/epoch") == true, "\(outcome)")
      #expect(outcome.output.contains("\u{1B}[Kepoch 1: validation loss "), "\(outcome)")
    }

    @Test(arguments: [
      ["bench", "roofline"], ["bench", "matmul", "--sizes", "64,128", "--size", "512"],
      ["sweep", "--epochs", "60", "--output", "sweep"],
      ["chapter", "--exercise", "2", "--output", "chapter"],
    ]) func barsOfStages(_ words: [String]) throws {
      let outcome = try onTerminal(100, words)
      try #require(outcome.code == 0, "\(outcome)")
      let bars = drawings(outcome.output).filter { $0.contains(" of ") && $0.contains("%") }
      #expect(!bars.isEmpty && bars.allSatisfy { $0.count < 100 }, "\(outcome)")
      // The percentages never fall.
      let percentages = bars.compactMap { bar in
        bar.split(separator: " ").first { Int($0) != nil }.flatMap { Int($0) }
      }
      #expect(percentages == percentages.sorted() && percentages.count == bars.count, "\(percentages)")
      #expect(outcome.output.contains("\r\u{1B}[K"))
    }

    @Test func withoutATerminalThereIsNoBar() throws {
      for words in [job + ["--epochs", "2", "--output", folder("run")], ["bench", "gather", "--json"]] {
        let outcome = try run(words)
        #expect(outcome.code == 0 && !(outcome.output + outcome.errors).contains("\u{1B}"), "\(outcome)")
        #expect(!"━─▁".contains { (outcome.output + outcome.errors).contains($0) }, "\(outcome)")
      }
    }

    @Test(arguments: [1, 3]) func quietTellsTheValidation(_ ranks: Int) throws {
      let outcome = try run(ranks: ranks, job + ["--epochs", "1", "--quiet", "--output", folder("run")])
      let lines = outcome.output.split(separator: "\n")
      #expect(
        lines.count == 2 && lines[0].hasPrefix("validation: loss ") && lines[1].hasPrefix("loss: "),
        "\(outcome)")
      let without = try run(ranks: ranks, ["--quiet", "--output", folder("other")])
      #expect(without.output.split(separator: "\n").count == 1, "\(without)")
    }

    @Test func aSmallLossIsShown() throws {
      let x = (0..<200).map { Float($0 % 7) - 3 }
      let inputs = try folder.write(npy("<f4", [200, 1], littleEndian(x)), to: "x.npy")
      let targets = try folder.write(npy("<f4", [200], littleEndian(x.map { 1e-3 * $0 })), to: "y.npy")
      let outcome = try run([
        "--data", "\(inputs),\(targets)", "--model", "linear", "--epochs", "1", "--lr", "0.01", "--output",
        folder("run"),
      ])
      let last = try #require(outcome.output.split(separator: "\n").last)
      #expect(last.contains("e-0") && !last.contains("loss: 0.000"), "\(outcome)")
    }

    @Test(arguments: [1, 2, 8]) func linesAsObjects(_ ranks: Int) throws {
      func objects(_ text: String) throws -> [[String: Any]] {
        try text.split(separator: "\n").map {
          try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any], "\($0)")
        }
      }
      let outcome = try run(
        ranks: ranks, job + ["--epochs", "20", "--log-format", "json", "--output", folder("run")],
        environment: ["OPENBLAS_CORETYPE": "Prescott"])
      try #require(outcome.code == 0, "\(outcome)")
      let (results, others) = (try objects(outcome.output), try objects(outcome.errors))
      for object in results + others {
        #expect(Set(["time", "level", "rank", "host"]).isSubset(of: object.keys), "\(object)")
      }
      let messages = results.compactMap { $0["message"] as? String }
      #expect(messages.count == results.count && results.allSatisfy { $0["level"] as? String == "result" })
      #expect(
        messages.last?.hasPrefix("loss: ") == true && messages.contains { $0.hasPrefix("validation: ") })
      let levels = others.compactMap { $0["level"] as? String }
      #expect(levels.contains("warning") && levels.contains("progress"), "\(outcome)")
      #expect(
        others.contains { $0["step"] is Int && $0["loss"] is Double && $0["examplesPerSecond"] is Double })
      guard ranks == 1 else { return }
      let mistake = try run(["--log-format=json", "--epochs", "none"])
      let told = try objects(mistake.errors)
      #expect(mistake.code == 64 && told.count == 1 && told[0]["level"] as? String == "error", "\(mistake)")
      let config = try folder.write("log-format: json\nepochs: 0\n", to: "c.yaml")
      let range = try run(["--config", config])
      #expect(try range.code == 64 && objects(range.errors).first?["level"] as? String == "error", "\(range)")
      let wrong = try run(["--log-format", "xml"])
      #expect(wrong.code == 64 && wrong.errorLines.count == 1, "\(wrong)")
    }

    /// The line of a rank that is not the first tells whose it is, and stays one line.
    @Test(arguments: [2, 3, 4, 8]) func linesOfOtherRanks(_ ranks: Int) throws {
      let host = ProcessInfo.processInfo.hostName.prefix { $0 != "." }
      for _ in 0..<2 {
        let outcome = try run(
          ranks: ranks,
          [
            "--epochs", "100000", "--timeout", "5", "--inject", "kill:rank=0,step=50", "--quiet", "--output",
            folder("run\(UUID())"),
          ])
        #expect(outcome.code != 0 && outcome.errorLines.count == 1, "\(outcome)")
        let line = try #require(outcome.errorLines.first)
        let tag = try #require(
          line.dropFirst("distsgd: error: ".count).split(separator: " ").first, "\(outcome)")
        #expect(tag.hasPrefix("[") && tag.hasSuffix("]") && tag.contains("@\(host)"), "\(outcome)")
        let rank = try #require(Int(tag.dropFirst().prefix { $0 != "@" }))
        #expect(1..<ranks ~= rank)
      }
    }

    @Test func helpShowsTheOptionsOfTraining() throws {
      for words in [["--help"], ["-h"], ["help"]] {
        let outcome = try run(words)
        #expect(outcome.code == 0, "\(outcome)")
        for word in [
          "SUBCOMMANDS:", "doctor", "--global-batch <b>", "--time-limit <time>", "--resume <dir>", "--config",
        ] {
          #expect(outcome.output.contains(word), "\(word) is not in \(outcome)")
        }
      }
      let other = try run(["evaluate", "--help"])
      #expect(other.output.contains("--model <file>") && !other.output.contains("--global-batch"))
    }

    @Test func everythingIsInstalled() throws {
      let prefix = folder("prefix")
      let installed = try Child(
        packageFolder + "/launch/install", [prefix],
        environment: mpiEnvironment.merging(["DISTSGD": distsgd]) { $1 }
      ).wait(limit: 300)
      try #require(installed.code == 0, "\(installed)")
      let program = try run(program: prefix + "/bin/distsgd", ["--version"])
      #expect(program.code == 0)
      let manual = try readFile(prefix + "/share/man/man1/distsgd.1")
      for word in [".TH DISTSGD 1", "\\-\\-global\\-batch", "DOCTOR", "EXIT STATUS", "\\-\\-learning\\-rate"]
      {
        #expect(manual.contains(word), "\(word)")
      }
      if FileManager.default.isExecutableFile(atPath: "/usr/bin/man") {
        for locale in ["C", "C.UTF-8"] {
          let page = try Child(
            "man", ["--warnings", "-l", prefix + "/share/man/man1/distsgd.1"], environment: ["LC_ALL": locale]
          ).wait(limit: 60)
          #expect(
            page.code == 0 && page.output.contains("--time-limit") && page.errors.isEmpty,
            "\(locale): \(page.errors)")
        }
      } else {
        print("there is no man here: the page was not shown")
      }
      // Bash offers what begins as the word does.
      let script = """
        source '\(prefix)/share/bash-completion/completions/distsgd'
        COMP_WORDS=(distsgd doc); COMP_CWORD=1; COMP_LINE='distsgd doc'; COMP_POINT=11
        _distsgd distsgd doc distsgd; echo "${COMPREPLY[@]}"
        COMP_WORDS=(distsgd train --time); COMP_CWORD=2; COMP_LINE='distsgd train --time'; COMP_POINT=20
        _distsgd distsgd --time train; echo "${COMPREPLY[@]}"
        """
      let completed = try Child("bash", ["-c", script]).wait(limit: 60)
      #expect(
        completed.output.contains("doctor") && completed.output.contains("--time-limit"), "\(completed)")
      for (shell, file) in [
        ("zsh", "zsh/site-functions/_distsgd"), ("fish", "fish/vendor_completions.d/distsgd.fish"),
      ] {
        let text = try readFile(prefix + "/share/" + file)
        #expect(text.contains("time-limit") && text.contains("doctor"))
        if FileManager.default.isExecutableFile(atPath: "/usr/bin/\(shell)") {
          let checked = try Child(shell, ["-n", prefix + "/share/" + file]).wait(limit: 60)
          #expect(checked.code == 0, "\(checked)")
        } else {
          print("there is no \(shell) here: its completions were not tried")
        }
      }
    }
  }
}
