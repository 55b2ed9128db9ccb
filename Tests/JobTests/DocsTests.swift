// What the documents quote and promise: source, arrows between modules, a comment on all that is public, links.
import TestSupport
import Testing

/// A script of Tests/Structure, on this repository or on the tree in `root`.
private func structure(_ script: String, _ root: String...) throws -> Outcome {
  try Child("python3", [packageFolder + "/Tests/Structure/" + script] + root).wait(limit: 120)
}

@Suite struct DocsTests {
  private let folder = TemporaryFolder()

  /// A source file of a made-up tree.
  private func write(_ text: String, to path: String) throws {
    let parts = path.split(separator: "/").dropLast().joined(separator: "/")
    #expect(try Child("mkdir", ["-p", folder("Sources/" + parts)]).wait(limit: 60).code == 0)
    try folder.write(text, to: "Sources/" + path)
  }

  @Test func theTutorialAndTheArticlesShowTheSourceAsItIs() throws {
    let outcome = try Child("bash", [packageFolder + "/docs/build", "--check-code"]).wait(limit: 60)
    #expect(outcome.code == 0, "\(outcome)")
  }

  @Test func filesThatDocumentsNameAreThere() throws {
    let outcome = try structure("paths.py")
    #expect(outcome.code == 0, "\(outcome)")
  }

  @Test func aFileThatIsNotThereIsFound() throws {
    try folder.write("`Step/Gone.swift`, [a page](gone.md), [this one](README.md)", to: "README.md")
    let outcome = try structure("paths.py", folder.path)
    #expect(
      outcome.code == 1
        && outcome.output == "README.md:1: there is no Step/Gone.swift\nREADME.md:1: there is no gone.md\n",
      "\(outcome)")
  }

  @Test func noArrowsMakeACircleAndTheArchitectureShowsThemAsTheyAre() throws {
    let outcome = try structure("arrows.py")
    #expect(outcome.code == 0, "\(outcome)")
    let page = try readFile(packageFolder + "/docs/architecture.md")
    let block = "<!-- arrows -->\n```text\n\(outcome.output)```\n<!-- /arrows -->\n"
    #expect(page.contains(block), "put the output of Tests/Structure/arrows.py into docs/architecture.md")
  }

  @Test(arguments: [
    ["A/One.swift": "import B\n", "B/Two.swift": "import A\n"],
    [
      "A/X/One.swift": "struct One { let two: Two }\n", "A/Y/Two.swift": "struct Two { func one() -> One }\n",
    ],
    [
      "A/X/One.swift": "struct One { func f() { Two.g() } }\n",
      "A/Y/Two.swift": "enum Two {}\nextension One {}\n",
    ],
  ])
  func aCircleIsFound(_ files: [String: String]) throws {
    for (path, text) in files { try write(text, to: path) }
    let outcome = try structure("arrows.py", folder.path)
    #expect(outcome.code == 1 && outcome.output.contains("circle in "), "\(outcome)")
  }

  @Test func allThatIsPublicHasAComment() throws {
    let outcome = try structure("public.py")
    #expect(outcome.code == 0, "\(outcome)")
  }

  @Test func whatIsPublicWithoutACommentIsNamed() throws {
    try write(
      """
      public protocol Told {
        /// What a conformer need not tell again.
        func told(_ x: Int)
        func untold()
      }

      /// Its members are asked for one by one.
      public struct Type: Told {
        public var description: String { "}" }
        public func told(_ x: Int) {}
        public func told(other: Int) {}
        package var own = 1
        /// Said.
        @inlinable
        public var said: Int {
          let public = 1
          return public
        }
        public enum Kind {
          /// Said.
          case one
          case two
        }
      }

      extension Type {
        public static let late = 1
      }

      struct Own {
        public var inside = 1
      }
      """, to: "M/File.swift")
    let outcome = try structure("public.py", folder.path)
    let named = outcome.output.split(separator: "\n").map { $0.split(separator: " ")[1] }
    #expect(
      outcome.code == 1
        && named == [
          "Told", "Told.untold()", "Type.told(other:)", "Type.Kind", "Type.Kind.two", "Type.late",
        ], "\(outcome)")
  }

  @Test func theLibrarysPagesHaveNoLinkThatLeadsNowhere() throws {
    let pages = folder("pages")
    let outcome = try Child("bash", [packageFolder + "/docs/api", "--no-build", pages]).wait(limit: 600)
    #expect(outcome.code == 0, "\(outcome)")
    let article = try readFile(pages + "/data/documentation/neuralnet/writealayer.json")
    #expect(article.contains("WaveConvolution"))
  }
}
