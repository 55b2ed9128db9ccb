// Files that are not what the format says: each is refused in one line, and none is read outside its bytes.
import DataFormats
import Foundation
import System
import TestSupport
import Testing

@Suite struct SafeTensorsDamageTests {
  /// Each with words that its message must have.
  static let damaged: [(bytes: [UInt8], words: String)] = [
    ([], "it has 0 bytes"),
    ([1, 2, 3], "it has 3 bytes"),
    (Array(repeating: 255, count: 20), "not the length of a header within its 20 bytes"),
    (Array(SafeTensorsTests.file("{}").dropLast()), "not the length of a header within its 9 bytes"),
    (SafeTensorsTests.file(""), "'{' at byte 8"),
    (SafeTensorsTests.file("[]"), "'{' at byte 8"),
    (SafeTensorsTests.file("{}", data: 1), "its tensors take 0 bytes, but 1 follow"),
    (SafeTensorsTests.file("{} {}"), "more than one value at byte 11"),
    (SafeTensorsTests.file(#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#, data: 4), "'}'"),
    (
      SafeTensorsTests.file(#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, data: 3),
      "bytes 0 ..< 4 of 3"
    ),
    (
      SafeTensorsTests.file(#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, data: 4),
      "takes 8 bytes, but has 4"
    ),
    (
      SafeTensorsTests.file(#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, data: 8),
      "should start at 0"
    ),
    (
      SafeTensorsTests.file(#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, data: 4),
      "[start, end]"
    ),
    (
      SafeTensorsTests.file(#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}"#, data: 4), "[start, end]"
    ),
    (
      SafeTensorsTests.file(#"{"a":{"dtype":"F32","data_offsets":[0,4]}}"#, data: 4),
      "should have dtype, shape"
    ),
    (
      SafeTensorsTests.file(#"{"a":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}"#, data: 8),
      "'I64', but it should be F32"
    ),
    (
      SafeTensorsTests.file(#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, data: 4),
      "whole number"
    ),
    (SafeTensorsTests.file(#"{"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}"#, data: 4), "']'"),
    (
      SafeTensorsTests.file(#"{"a":{"dtype":"F32","shape":[01],"data_offsets":[0,4]}}"#, data: 4),
      "starts with 0"
    ),
    (
      SafeTensorsTests.file(
        #"{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]}}"#, data: 4),
      "number is too large"
    ),
    (
      SafeTensorsTests.file(#"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}"#),
      "larger than any memory"
    ),
    (
      SafeTensorsTests.file(#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":[]}}"#, data: 4),
      "unknown or a repeated field 'x'"
    ),
    (
      SafeTensorsTests.file(#"{"a":{"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]}}"#, data: 4),
      "repeated field 'shape'"
    ),
    (
      SafeTensorsTests.file(
        #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[0],"data_offsets":[4,4]}}"#,
        data: 4), "the name 'a' stands in it twice"
    ),
    (
      SafeTensorsTests.file(
        #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
        data: 8), "tensor 'b' lies at bytes 4 ..< 8 of 8, but should start at 8"
    ),
    (
      SafeTensorsTests.file(
        #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}"#,
        data: 12), "should start at 4"
    ),
    (SafeTensorsTests.file(#"{"__metadata__":{"a":1}}"#), "there should be a string"),
    (SafeTensorsTests.file(#"{"__metadata__":{"a":"","a":""}}"#), "the key 'a' twice"),
    (SafeTensorsTests.file(#"{"__metadata__":{},"__metadata__":{}}"#), "twice"),
    (SafeTensorsTests.file(#"{"\x":{}}"#), "unknown escape"),
    (SafeTensorsTests.file(#"{"\ud800":{}}"#), "half a surrogate pair"),
    (SafeTensorsTests.file(#"{"\ud800\u0041":{}}"#), "half a surrogate pair"),
    (SafeTensorsTests.file(#"{"\u12g4":{}}"#), "four hex digits"),
    (SafeTensorsTests.file("{\"a\nb\":{}}"), "control character"),
    (SafeTensorsTests.file("{\"a"), "the string has no end"),
    (SafeTensorsTests.file("{\"a\\"), "the string has no end"),
    ([3, 0, 0, 0, 0, 0, 0, 0] + [0x7b, 0x22, 0xff], "no end"),
    ([7, 0, 0, 0, 0, 0, 0, 0] + [0x7b, 0x22, 0xff, 0x22, 0x3a, 0x7b, 0x7d], "not UTF-8"),
    (SafeTensorsTests.file("{\"\\u0007\\n\":{}}"), "tensor '\\u{07}\\n' should have"),
  ]

  @Test func damagedFiles() throws {
    for (bytes, words) in Self.damaged {
      let error = try thrown { _ = try SafeTensorsTests.parse(bytes) }
      #expect(error?.code == .badData, "\(words)")
      let text = error?.description ?? ""
      #expect(text.hasPrefix("'m.safetensors' is not a valid safetensors file: "))
      #expect(text.contains(words))
      #expect(!text.contains("\n"))
    }
  }

  /// No bytes make the reader trap, hang or throw anything else.
  @Test func mutatedAndRandomFiles() throws {
    var original: [UInt8] = []
    try withFolder { folder in
      try SafeTensorsTests.model.write(to: folder + "/a")
      original = [UInt8](FileManager.default.contents(atPath: folder + "/a")!)
    }
    let headerLength = Int(original[0]) + 256 * Int(original[1])
    let tokens = ["{", "}", "[", "]", "\"", ",", ":", "\\u", "0", "9223372036854775807", "-", "F64"].map {
      Array($0.utf8)
    }
    var random = SplitMix64(state: 2)
    var valid = 0
    for round in 0..<60_000 {
      var bytes = original
      switch round % 4 {
      case 0:  // a few bytes changed, in the header mostly
        for _ in 0..<Int.random(in: 1...4, using: &random) {
          bytes[Int.random(in: 0..<(8 + headerLength), using: &random)] = UInt8.random(
            in: 0...255, using: &random)
        }
      case 1:  // a piece replaced by a token, the length mended
        let start = Int.random(in: 8..<(8 + headerLength), using: &random)
        let end = min(start + Int.random(in: 0...6, using: &random), 8 + headerLength)
        let token = tokens.randomElement(using: &random)!
        bytes.replaceSubrange(start..<end, with: token)
        let length = headerLength - (end - start) + token.count
        bytes[0] = UInt8(length & 255)
        bytes[1] = UInt8(length >> 8)
      case 2:  // cut
        bytes.removeLast(Int.random(in: 1...bytes.count, using: &random))
      default:  // noise behind a plausible length
        bytes = (0..<Int.random(in: 0...80, using: &random)).map { _ in
          UInt8.random(in: 0...255, using: &random)
        }
        if bytes.count >= 8 {
          bytes.replaceSubrange(0..<8, with: [UInt8(bytes.count - 8), 0, 0, 0, 0, 0, 0, 0])
        }
      }
      let error = try thrown { _ = try SafeTensorsTests.parse(bytes) }  // rethrows what is no DistsgdError
      if let error {
        #expect(error.code == .badData)
        #expect(!error.description.utf8.contains { $0 < 0x20 })
      } else {
        valid += 1
      }
    }
    #expect(valid > 0)  // some mutations, such as another letter in a name, leave a valid file
  }
}
