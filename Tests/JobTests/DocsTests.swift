// What the documents quote: the source in them is the source as it is.
import TestSupport
import Testing

@Suite struct DocsTests {
  @Test func theTutorialShowsTheSourceAsItIs() throws {
    let outcome = try Child("bash", [packageFolder + "/docs/build", "--check-code"]).wait(limit: 60)
    #expect(outcome.code == 0, "\(outcome)")
  }
}
