import Foundation
import System
import TestSupport
import Testing

@Suite struct JSONLineTests {
  @Test func everyKindOfValue() {
    var inner = JSONLine()
    inner["rank"] = 3
    var line = JSONLine(event: "step")
    line["step"] = -3
    line["hash"] = UInt64.max
    line["loss"] = 0.1
    line["rate"] = Float(0.1)
    line["done"] = false
    line["name"] = "a"
    line["sizes"] = [1, 2]
    line["empty"] = [String]()
    line["accuracy"] = Optional<Double>.none
    line["inner"] = inner
    line["list"] = [inner, JSONLine()]
    #expect(
      line.description
        == #"{"event":"step","step":-3,"hash":18446744073709551615,"loss":0.1,"rate":0.1,"done":false,"#
        + #""name":"a","sizes":[1,2],"empty":[],"accuracy":null,"inner":{"rank":3},"list":[{"rank":3},{}]}"#)
  }

  @Test func noMembers() {
    #expect(JSONLine().description == "{}")
  }

  @Test func linesFollowEachOther() {
    var buffer: [UInt8] = []
    var line = JSONLine(event: "a")
    line.append(to: &buffer)
    line.reset(event: "b")
    line["x"] = 1
    line.append(to: &buffer)
    #expect(
      String(decoding: buffer, as: UTF8.self) == "{\"event\":\"a\"}\n{\"event\":\"b\",\"x\":1}\n")
  }

  @Test func numbersThatJSONLacksAreNull() {
    var line = JSONLine()
    line["a"] = [Double.nan, .infinity, -.infinity]
    line["b"] = Float.nan
    #expect(line.description == #"{"a":[null,null,null],"b":null}"#)
  }

  /// Another reader finds the same bits again, whatever the exponent.
  @Test func numbersReadBackExactly() throws {
    var random = SplitMix64(state: 1)
    var doubles: [Double] = [
      0, -0.0, 1, 1e16, 1e-5, Double.leastNonzeroMagnitude, .greatestFiniteMagnitude, 2.5e15,
      123456789012345680,
    ]
    var floats: [Float] = [
      0, -0.0, 1, 1e16, 1e-5, Float.leastNonzeroMagnitude, .greatestFiniteMagnitude, 16777216,
    ]
    for _ in 0..<2000 {
      let bits = random.next()
      doubles.append(Double(bitPattern: bits))
      floats.append(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
    }
    var line = JSONLine()
    line["doubles"] = doubles.filter(\.isFinite)
    line["floats"] = floats.filter(\.isFinite)
    struct Read: Decodable {
      var doubles: [Double]
      var floats: [Float]
    }
    let read = try JSONDecoder().decode(Read.self, from: Data(line.description.utf8))
    #expect(read.doubles.map(\.bitPattern) == doubles.filter(\.isFinite).map(\.bitPattern))
    #expect(read.floats.map(\.bitPattern) == floats.filter(\.isFinite).map(\.bitPattern))
  }

  @Test func escapes() throws {
    var line = JSONLine()
    line["k\"\\"] = "\" \\ / \n \r \t \u{8} \u{1f} \u{7f} é 😀 \0"
    #expect(
      line.description
        == #"{"k\"\\":"\" \\ / \n \r \t \u0008 \u001f \u007f é 😀 \u0000"}"#)
    let all = String(String.UnicodeScalarView((0..<0x300).map { Unicode.Scalar(UInt16($0))! }))
    line = JSONLine()
    line["all"] = all
    let read = try JSONDecoder().decode([String: String].self, from: Data(line.description.utf8))
    #expect(Array(read["all"]!.unicodeScalars) == Array(all.unicodeScalars))
  }
}
