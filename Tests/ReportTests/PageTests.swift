// Pages: what they show of what was read, and that nothing of others becomes markup.
import Foundation
import Report
import System
import TestSupport
import Testing

@Suite struct PageTests {
  private let made = MadeRun()

  @Test func aRunsPageHasItsNumbersAndAllSections() throws {
    let html = try page(try made.writeAll("run"))
    let markup = Markup(html)
    #expect(markup.problems == [])
    for heading in [
      "Result", "Settings", "Topology", "Learning", "Gradient noise", "Where the time went",
      "Confusion matrix",
    ] {
      #expect(markup.texts.contains(heading), "\(heading)")
    }
    for figure in [
      "Loss against examples", "Loss against time", "Accuracy against examples", "Accuracy against time",
      "Gradient norm against time", "Gradient noise scale against examples", "Time of every rank",
      "Throughput",
      "Own time by rank and step", "Who waited for whom", "Classes of the validation set",
    ] {
      // Twice: in the caption, and as the title of each of its two drawings.
      #expect(markup.texts.filter { $0 == figure }.count == 3, "\(figure)")
    }
    // A rate that never changes is no figure.
    #expect(!markup.texts.contains("Learning rate against examples"))
    for text in [
      "0.4321", "00c0ffee00c0ffee", "0.2", "global batch 128 = 4 ranks × 32 examples", "ann", "0–1", "2–3",
      "batch 128",
      "130 examples at the end", "cat taken for dog: 1 of 8, 13 %",
      "rank 0 waited 100 ms for rank 2, 20 times",
    ] {
      #expect(html.contains(text), "\(text)")
    }
    #expect(!html.contains("Not in this run's folder"))
  }

  @Test func theSlowRankIsTheDarkRow() throws {
    let html = try page(try made.writeAll("run"))
    for line in html.split(separator: "\n") where line.contains("a step of its own") {
      let isSlow = line.contains("<title>rank 2, ")
      #expect(line.contains("class=\"plot-h\(isSlow ? 8 : 3)\""), "\(line)")
    }
    // And who waits, waits for it.
    let waits = html.split(separator: "\n").filter { $0.contains("<title>rank ") && $0.contains(" waited ") }
    #expect(waits.count == 6 && waits.allSatisfy { $0.contains("for rank 2") })
  }

  @Test func anEvaluationTellsAPointerItsNumbers() throws {
    let html = try page(try made.write("run"))
    let told = "<title>validation, epoch 2, 2560 examples, 200 ms: loss 0.3</title>"
    #expect(html.components(separatedBy: told).count == 5, "in two figures, each drawn twice")
  }

  @Test func barsAddUpToTheTimeOfTheirRank() throws {
    let html = try page(try made.writeAll("run"))
    let told = html.split(separator: "\n").filter { $0.contains("<title>2, bob, ") && $0.contains("plot-") }
    // Forward 0.18 s and evaluation 0.03 s of 0.24 s; twice, for wide and narrow.
    #expect(told.count == 6)
    #expect(told.contains { $0.contains("2, bob, forward: 180 ms, 75 %") })
    #expect(told.contains { $0.contains("plot-hollow") && $0.contains("2, bob, wait: 30 ms, 13 %") })
  }

  @Test func filesThatAreNotThereAreNamed() throws {
    let markup = Markup(try page(try made.write("run")))
    #expect(markup.problems == [])
    let sentence = try #require(markup.texts.first { $0.contains("Not in this run's folder") })
    for name in ["timings.csv", "heatmap.csv", "waits.csv"] { #expect(sentence.contains(name)) }
    // One process waits for nobody.
    let alone = [MadeRun.runEvent.replacingOccurrences(of: "\"ranks\":4", with: "\"ranks\":1")]
    let words = Markup(try page(try made.write("alone", metrics: alone))).texts.joined()
    #expect(words.contains("timings.csv") && !words.contains("heatmap.csv"))
  }

  @Test func ofSeveralRunsWhatDiffersComesFirst() throws {
    try made.write("one")
    var lines = MadeRun.metrics
    lines[0] = lines[0].replacingOccurrences(of: "\"learningRate\":0.1", with: "\"learningRate\":0.25")
    try made.write("two", metrics: lines)
    let html = try page(made.folder("one"), made.folder("two"))
    #expect(Markup(html).problems == [])
    let differences = try #require(html.range(of: "What differs:"))
    let table = html[differences.upperBound...].components(separatedBy: "</table>")[0]
    #expect(table.contains("learningRate") && !table.contains("globalBatch"))
    let texts = Markup(html).texts
    for name in ["one, batches", "two, validation"] { #expect(texts.contains(name)) }
    // The same run twice differs in nothing.
    #expect(try page(made.folder("one"), made.folder("one")).contains("All settings are the same."))
  }

  /// Whatever a stranger's file says is text.
  @Test func nothingOfTheFilesBecomesMarkup() throws {
    let hostile = [
      "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "' onmouseover='alert(1)",
      "</style><b>",
      "\\u001b[31m]]>", "<!--", "&lt;already&gt;",
    ]
    for (number, words) in hostile.enumerated() {
      let json = words.replacingOccurrences(of: "\"", with: "\\\"")
      var lines = [
        #"{"event":"run","data":"\#(json)","\#(json)":"\#(json)","hosts":["\#(json)"],"serverOfRank":[0],"ranks":2,"batchArithmetic":"\#(json)","commandLine":["distsgd","\#(json)"],"blasKernel":"\#(json)"}"#,
        #"{"event":"step","step":1,"examples":1,"seconds":1,"loss":1,"\#(json)":2}"#,
        #"{"event":"evaluation","set":"\#(json)","step":1,"examples":1,"seconds":1,"loss":1,"accuracy":1,"\#(json)":2}"#,
      ]
      lines.append(
        #"{"event":"end","loss":1,"parameterHash":"\#(json)","classes":["\#(json)","b"],"confusion":[[1,2],[3,4]]}"#
      )
      let name = "run\(number)"
      let path = try made.write(name, metrics: lines)
      let field = "\"" + words.replacingOccurrences(of: "\"", with: "") + "\""
      try made.folder.write(
        "epoch,host,rank,phase,seconds\n1,\(field),0,\(field),1\n", to: name + "/timings.csv")
      try made.folder.write("epoch,host,rank,\(field)\n1,\(field),0,1\n", to: name + "/ranks.csv")
      let html = try page(path)
      #expect(Markup(html).problems == [], "\(words)")
      #expect(
        Markup(html).texts.contains {
          $0.contains("alert(1)") || $0.contains("]]>") || $0.contains("<b>") || $0.contains("&lt;")
            || $0 == "<!--"
        })
      let trials = try made.folder.write(
        "run,\(field),examples,seconds,loss\n\(field),\(field),1,1,1\nb,c,1,1,2\n", to: "trials\(number).csv")
      #expect(Markup(try page(trials)).problems == [], "\(words)")
      let bench = try made.folder.write(
        #"{"\#(json)":"\#(json)","rows":[{"\#(json)":"\#(json)"}]}"#, to: "b\(number).json")
      try made.folder.write("\(words)", to: "b\(number).svg")
      #expect(Markup(try page(bench)).problems == [], "\(words)")
    }
  }

  @Test func theCheckItselfFindsWhatItLooksFor() {
    let page = "<!DOCTYPE html>\n<html><body><p>%</p></body></html>"
    #expect(Markup(page).problems == [])
    for wrong in [
      "<script>x</script>", "<b>", "</p>", "a > b", "<p onclick=\"x\"></p>", "<img src=\"http://x\">",
    ] {
      #expect(!Markup(page.replacingOccurrences(of: "%", with: wrong)).problems.isEmpty, "\(wrong)")
    }
  }

  @Test func theSizeOfAPageDependsOnThePictureNotOnTheSteps() throws {
    var lines = [MadeRun.runEvent]
    for step in 1...100_000 { lines.append(MadeRun.step(step, loss: "\(1 + Double(step % 100) / 100)")) }
    lines[50_000] = MadeRun.step(50_000, loss: "77.5")
    let path = try made.write("long", metrics: lines)
    let run = try #require(try Sources([path]).runs.first)
    #expect(run.steps["loss"]?.range?.high == 77.5)
    let html = try page(path)
    #expect(html.utf8.count < 1_000_000, "\(html.utf8.count) bytes")
    #expect(html.contains("the mean of up to 256 steps at a time"))
  }

  @Test func oneFigure() throws {
    let path = try made.write("run")
    for abscissa in Abscissa.allCases {
      let svg = try RunPlot(try Sources([path]), metric: "accuracy", against: abscissa).svg
      #expect(
        svg.hasPrefix("<svg xmlns=") && svg.contains("<style>") && svg.contains(">validation set</text>"))
    }
    let error = #expect(throws: DistsgdError.self) {
      try RunPlot(try Sources([path]), metric: "acuracy", against: .steps)
    }
    #expect(error?.code == .usage && error?.description.contains("did you mean 'accuracy'?") == true)
  }
}
