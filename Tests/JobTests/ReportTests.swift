// Pages and figures of real jobs: the numbers on them are those that the job printed and wrote.
import Foundation
import TestSupport
import Testing

/// A browser to look at pages with.
private let chromium: String? = {
  for name in ["chromium", "chromium-browser", "google-chrome"] {
    for folder in (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    where FileManager.default.isExecutableFile(atPath: "\(folder)/\(name)") { return name }
  }
  print("WARNING: NO PAGE IS LOOKED AT: there is no Chromium; on Debian, apt-get install chromium")
  return nil
}()

extension JobTests {
  @Suite struct ReportTests {
    private let folder = TemporaryFolder()

    private func report(_ words: String...) throws -> String {
      let outcome = try run(["report"] + words, directory: folder.path)
      try #require(outcome.code == 0, "\(outcome)")
      let name = String(outcome.output.dropFirst("report: ".count).dropLast())
      return try readFile(name.hasPrefix("/") ? name : folder(name))
    }

    @Test(arguments: [1, 2, 3, 4, 8]) func aJobsPageShowsWhatItPrinted(ranks: Int) throws {
      let outcome = try run(
        ranks: ranks,
        [
          "--global-batch", "64", "--epochs", "4", "--validation", "0.2", "--log-every", "1", "--output",
          folder("run"),
        ])
      try #require(outcome.code == 0, "\(outcome)")
      let events = try readMetrics(folder("run/metrics.jsonl"))
      let html = try report(folder("run"))
      let end = try #require(events.last)
      let cells = html.split(separator: "<td class=\"number\">").compactMap {
        Double($0.prefix { $0 != "<" })
      }
      let hasHash = html.contains("<td>\(end.text("parameterHash"))</td>")
      let hasLoss = cells.contains { abs($0 - end.number("loss")) <= 5e-5 }
      let hasArithmetic = html.contains(events[0].text("batchArithmetic"))
      #expect(hasHash && hasLoss && hasArithmetic)
      // A bar for every rank, twice (wide and narrow), which tells of its backward pass.
      let bars = html.split(separator: "\n").filter { $0.contains(", backward: ") }
      #expect(bars.count == 2 * ranks, "\(bars.count) bars")
      let hasShares = html.contains(
        ranks == 1 ? "Of the rank&#39;s time, " : "Of the \(ranks) ranks&#39; time, ")
      let hasThroughput = html.contains(">Throughput</figcaption>")
      #expect(hasShares && hasThroughput)
      // The same files give the same page, from the file of metrics as from the folder.
      let isSame = try report(folder("run/metrics.jsonl"), "--output", folder("again.html")) == html
      #expect(isSame)
    }

    /// At its end a run tells its confusion matrix, which is that of `evaluate`.
    @Test func theConfusionMatrixIsThatOfEvaluate() throws {
      var text = "x,y,kind\n"
      for row in 0..<300 {
        let x = Double((row * 37) % 100) / 50 - 1
        let y = Double((row * 61) % 100) / 50 - 1
        text += "\(x),\(y),\(x * x + y * y < 0.3 ? "inner, \\\"<b>\\\"" : x > y ? "right" : "left")\n"
          .replacingOccurrences(of: "inner, \\\"<b>\\\"", with: "inner<b>")
      }
      let data = try folder.write(text, to: "data.csv")
      let trained = try run(
        ranks: 3,
        ["--data", data, "--validation", data, "--epochs", "20", "--quiet", "--output", folder("run")])
      try #require(trained.code == 0, "\(trained)")
      let end = try #require(try readMetrics(folder("run/metrics.jsonl")).last)
      let rows = try #require(end.fields["confusion"] as? [[Int]])
      #expect(end.fields["classes"] as? [String] == ["inner<b>", "left", "right"])
      #expect(rows.joined().reduce(0, +) == 300)
      let evaluated = try run([
        "evaluate", "--model", folder("run/model.safetensors"), "--data", data, "--json",
      ])
      let object = try JSONSerialization.jsonObject(with: Data(evaluated.output.utf8)) as? [String: Any]
      #expect(object?["confusion"] as? [[Int]] == rows, "\(evaluated)")
      let html = try report(folder("run"))
      #expect(html.contains("inner&lt;b&gt; taken for left: \(rows[0][1]) of \(rows[0].reduce(0, +)), "))
      #expect(!html.contains("<b>"))
    }

    /// Of a job that goes on there is a page at any moment.
    @Test func aJobThatStillRuns() throws {
      let child = try start(
        ranks: 2, ["--epochs", "1000000000", "--log-every", "1", "--quiet", "--output", folder("run")])
      defer {
        kill(child.identifier, SIGTERM)
        _ = child.wait(limit: 60)
      }
      let deadline = Date(timeIntervalSinceNow: 60)
      var size = 0
      while size < 100_000, Date() < deadline {
        size =
          (try? FileManager.default.attributesOfItem(atPath: folder("run/metrics.jsonl"))[.size] as? Int) ?? 0
        usleep(20_000)
      }
      #expect(child.isRunning)
      for _ in 0..<3 { #expect(try report(folder("run")).contains("running, or stopped")) }
    }

    @Test func severalRunsAndWhereTheirPageGoes() throws {
      for rate in ["0.1", "0.2"] {
        let outcome = try run(["--lr", rate, "--quiet", "--output", folder("rate" + rate)])
        try #require(outcome.code == 0, "\(outcome)")
      }
      let html = try report("rate0.1", "rate0.2")
      #expect(FileManager.default.fileExists(atPath: folder("report.html")))
      #expect(html.contains("What differs:") && html.contains("rate0.2, batches"))
      // The folder above holds both.
      #expect(try report(".", "--output", "all.html").contains("What differs:"))
      let plotted = try run(["plot", "rate0.1", "rate0.2", "--x", "seconds"], directory: folder.path)
      #expect(plotted.code == 0 && plotted.output == "plot: loss.svg\n", "\(plotted)")
      let svg = try readFile(folder("loss.svg"))
      #expect(svg.contains("Loss against time") && svg.contains("rate0.1, training"))
    }

    @Test func sweepsAndBenches() throws {
      let swept = try run([
        "sweep", "--global-batch", "10,100", "--learning-rate", "0.01,0.1", "--output", folder("sweep"),
      ])
      try #require(swept.code == 0, "\(swept)")
      let html = try report(folder("sweep"))
      #expect(
        html.contains("Loss at the end") && html.contains("global batch 100, learning rate 0.1: loss 0."))
      // The sweep's own page has its table as one.
      let own = try readFile(folder("sweep/sweep.html"))
      #expect(own.contains("<table>") && !own.contains("<pre"))
      let bench = try run(["bench", "matmul", "--size", "32", "--output", folder("bench")])
      try #require(bench.code == 0, "\(bench)")
      #expect(try report(folder("bench")).contains("bench matmul"))
    }

    @Test(arguments: [
      ("report", 64), ("report nothing", 66), ("report broken.jsonl", 65),
      ("report run --output nowhere/r.html", 73),
      ("plot run --y nothing", 64), ("plot run --x parsecs", 64), ("report empty", 66),
      ("plot sweep.csv", 64),
    ]) func mistakesAreOneLine(words: String, code: Int) throws {
      try FileManager.default.createDirectory(atPath: folder("empty"), withIntermediateDirectories: true)
      try folder.write("{\"event\":\"run\"}\n{\"event\":\n", to: "broken.jsonl")
      try folder.write("run,examples,seconds,loss\na,1,1,1\n", to: "sweep.csv")
      if words.contains("run ") {
        #expect(try run(["--steps", "2", "--quiet", "--output", "run"], directory: folder.path).code == 0)
      }
      let outcome = try run(words.split(separator: " ").map(String.init), directory: folder.path)
      #expect(outcome.code == Int32(code) && outcome.errorLines.count == 1, "\(outcome)")
      if code == 65 { #expect(outcome.errors.contains("broken.jsonl, line 2: "), "\(outcome)") }
    }

    /// What is no file is not replaced by one, for whichever command.
    @Test(arguments: ["report run --output pipe", "plot run --output pipe", "schedule --steps 5 --svg pipe"])
    func aPipeStaysAPipe(words: String) throws {
      #expect(try run(["--steps", "2", "--quiet", "--output", "run"], directory: folder.path).code == 0)
      #expect(mkfifo(folder("pipe"), 0o600) == 0)
      let outcome = try run(words.split(separator: " ").map(String.init), directory: folder.path)
      #expect(outcome.code == 73 && outcome.errorLines.count == 1, "\(outcome)")
      var status = stat()
      #expect(stat(folder("pipe"), &status) == 0 && status.st_mode & S_IFMT == S_IFIFO)
    }

    /// `--open` gives the page to the desktop's opener, and says so where there is none.
    @Test func thePageIsOpened() throws {
      #expect(try run(["--steps", "2", "--quiet", "--output", "run"], directory: folder.path).code == 0)
      try FileManager.default.createDirectory(atPath: folder("bin"), withIntermediateDirectories: true)
      try folder.write("#!/bin/sh\necho \"$1\" > \(folder("opened"))\n", to: "bin/xdg-open")
      #expect(chmod(folder("bin/xdg-open"), 0o755) == 0)
      let opened = try run(
        ["report", "run", "--open"], environment: ["PATH": folder("bin") + ":/usr/bin:/bin"],
        directory: folder.path)
      #expect(opened.code == 0, "\(opened)")
      #expect(try readFile(folder("opened")) == "run/report.html\n")
      let closed = try run(
        ["report", "run", "--open"], environment: ["PATH": "/nowhere"], directory: folder.path)
      #expect(closed.code == 0 && closed.errors.contains("warning: --open: "), "\(closed)")
    }

    /// Nothing overlaps, nothing is cut off, all can be read: at three widths, in light and in dark.
    @Test(.enabled(if: chromium != nil, "no Chromium")) func thePageInABrowser() throws {
      let job = ["--epochs", "3", "--validation", "0.2", "--log-every", "1", "--quiet", "--output"]
      try #require(try run(ranks: 4, job + [folder("run")]).code == 0)
      _ = try report(folder("run"))
      let script = packageFolder + "/Tests/Screenshots/screenshots.py"
      let outcome = try Child("python3", [script, "--output", folder("pictures"), folder("run/report.html")])
        .wait(
          limit: 300)
      #expect(outcome.code == 0, "\(outcome)")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder("pictures")).count == 6)
      // It would find what is wrong.
      let page = try readFile(folder("run/report.html"))
      let wrong = try folder.write(
        page.replacingOccurrences(
          of: "class=\"scroll\"", with: "class=\"wide-table\" style=\"width:2000px\""),
        to: "wrong.html")
      let found = try Child("python3", [script, "--output", folder("pictures"), wrong]).wait(limit: 300)
      #expect(found.code == 1 && found.output.contains("goes beyond the screen"), "\(found)")
    }
  }
}
