// What messages tell the user to run about files that are not read is run, and what comes of it is trained on.
import Foundation
import TestSupport
import Testing

extension JobTests {
  @Suite struct RecipeTests {
    let folder = TemporaryFolder()

    /// Every kind whose packages the Python of $DISTSGD_TORCH_PYTHON, or the system's, has.
    @Test func commandsInMessagesWork() throws {
      let named = ProcessInfo.processInfo.environment["DISTSGD_TORCH_PYTHON"] ?? ""
      let python = named.isEmpty ? "python3" : named
      let hasPython = try Child("bash", ["-c", "command -v \"$0\"", python]).wait(limit: 20).code == 0
      guard hasPython else {
        print("SKIPPED: there is no python3 to run the commands of messages with")
        return
      }
      let script = packageFolder + "/Tests/Reference/check_recipes.py"
      let outcome = try Child(
        python, [script, distsgd, folder("recipes")], environment: mpiEnvironment
      ).wait(limit: 600)
      // Those that were skipped, and why.
      for line in outcome.output.split(separator: "\n") where !line.hasPrefix("ok: ") { print(line) }
      #expect(outcome.code == 0, "\(outcome)")
    }
  }
}
