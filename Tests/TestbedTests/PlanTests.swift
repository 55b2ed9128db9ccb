// `distsgd plan` on several servers: their network is measured, and the jobs that its servers can make.
import Foundation
import Runs
import System
import Testing

extension TestbedTests {
  @Test(arguments: ["2x2", "3x1", "2+1"]) func plans(_ placement: String) throws {
    let result = try Testbed.command(
      "run \(placement) plan --data synthetic:600,20 --model mlp:30 --global-batch 64 --standardize --seconds 0.3 --json"
    )
    try #require(result.outcome == .exited(0), "\(result.text)")
    let line = try #require(result.text.split(separator: "\n").last { $0.hasPrefix("{") })
    let plan = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    let measured = try #require(plan["measured"] as? [String: Any])
    let (servers, ranks) = (placement == "3x1" ? 3 : 2, placement == "2x2" ? 2 : 1)
    #expect(measured["servers"] as? Int == servers && measured["ranks"] as? Int == ranks)
    let networks = try #require(measured["networks"] as? [[String: Any]])
    #expect(networks.compactMap { $0["ranks"] as? Int } == (ranks == 2 ? [1, 2] : [1]))
    for network in networks {
      let latency = try #require(network["latencySeconds"] as? Double)
      let overlap = try #require(network["overlap"] as? Double)
      #expect(latency > 0 && latency < 1 && 0...1 ~= overlap)
    }
    let steps = try #require(measured["networkSteps"] as? [[String: Any]])
    #expect(steps.count == networks.count && steps.allSatisfy { $0["servers"] as? Int == servers })
    let predictions = try #require(plan["predictions"] as? [[String: Any]])
    for servers in [1, 2, 16] {
      let found = predictions.filter { $0["servers"] as? Int == servers }
      #expect(!found.isEmpty, "\(servers) servers")
      for one in found {
        #expect((one["stepSeconds"] as? Double ?? 0) > 0)
        #expect(((one["messageSeconds"] as? Double ?? 0) > 0) == (servers > 1))
      }
    }
  }
}
