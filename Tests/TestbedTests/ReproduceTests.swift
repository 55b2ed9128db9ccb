// A model of one server's ranks, made again on several servers, each of which looks at the data.
import Foundation
import Runs
import System
import Testing

extension TestbedTests {
  @Test(arguments: ["blas", "portable"]) func reproduces(_ arithmetic: String) throws {
    let folder = NSTemporaryDirectory() + "distsgd-testbed-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var table = (0..<200).map { "\($0),\($0 % 7),\($0 % 3)\n" }.joined()
    try table.write(toFile: folder + "/data.csv", atomically: true, encoding: .utf8)
    let trained = runChild(
      Testbed.program,
      [
        "--data", folder + "/data.csv", "--model", "mlp:8", "--shards", "8", "--optimizer", "adam",
        "--arithmetic",
        arithmetic, "--log-hashes", "--quiet", "--output", folder + "/run",
      ], environment: [:], output: folder + "/log")
    try #require(trained == .exited(0))
    for placement in ["2x2", "3x1"] {
      let result = try Testbed.command("run \(placement) reproduce \(folder)/run")
      #expect(
        result.outcome == .exited(0) && result.text.contains("reproduced, bit for bit: "), "\(result.text)")
    }
    table.replace("199,3,1", with: "199,3,2")
    try table.write(toFile: folder + "/data.csv", atomically: true, encoding: .utf8)
    let other = try Testbed.command("run 2x2 reproduce \(folder)/run")
    #expect(other.outcome == .exited(65) && other.text.contains("'\(folder)/data.csv'"), "\(other.text)")
  }
}
