import DataFormats
import Foundation
import System
import TestSupport
import Testing

@Suite struct SafeTensorsTests {
  static let model = SafeTensors(
    tensors: [
      .init(name: "2.weight", shape: [2, 3], values: [1, -2, 3.5, 0.1, .leastNonzeroMagnitude, 6]),
      .init(name: "2.bias", shape: [2], values: [-0.0, .greatestFiniteMagnitude]),
      .init(name: "empty", shape: [0, 4], values: []),
      .init(name: "scalar", shape: [], values: [7]),
    ],
    metadata: ["model": "mlp:256,128", "names": "[\"a, b\", \"ü\\n\"]"])

  /// A file's bytes: the length, then `header`, then `data` zero bytes.
  static func file(_ header: String, data: Int = 0) -> [UInt8] {
    withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) } + Array(header.utf8)
      + Array(repeating: 0, count: data)
  }

  static func parse(_ bytes: [UInt8]) throws -> SafeTensors {
    try bytes.withUnsafeBytes { try SafeTensors(parsing: $0, path: "m.safetensors") }
  }

  @Test func whatIsWrittenIsRead() throws {
    try withFolder { folder in
      let path = folder + "/model.safetensors"
      try Self.model.write(to: path)
      #expect(try SafeTensors.read(from: path) == Self.model)
      try Self.model.write(to: path)  // over the old one
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["model.safetensors"])
    }
  }

  /// A shape as long as the header would make an error of a megabyte.
  @Test func aLongShapeIsToldShortly() throws {
    let ones = Array(repeating: "1", count: 100_000).joined(separator: ",")
    let header = #"{"a":{"dtype":"F32","shape":[\#(ones)],"data_offsets":[0,8]}}"#
    let error = try thrown { _ = try Self.parse(Self.file(header, data: 8)) }
    #expect(error?.description.contains("and 99988 more") == true)
    #expect((error?.description.count ?? .max) < 400)
  }

  @Test func viewsGiveTheSameBytes() throws {
    try withFolder { folder in
      try Self.model.write(to: folder + "/a")
      // One arena with all values, as a trainer has it.
      try Self.model.tensors.flatMap(\.values).withUnsafeBufferPointer { arena in
        var start = 0
        let views = Self.model.tensors.map { tensor in
          defer { start += tensor.values.count }
          return SafeTensors.View(
            name: tensor.name, shape: tensor.shape,
            values: UnsafeBufferPointer(rebasing: arena[start..<(start + tensor.values.count)]))
        }
        try SafeTensors.write(views, metadata: Self.model.metadata, to: folder + "/b")
      }
      #expect(
        FileManager.default.contents(atPath: folder + "/a")
          == FileManager.default.contents(atPath: folder + "/b"))
    }
  }

  @Test func headerIsAlignedAndInOrder() throws {
    try withFolder { folder in
      try SafeTensors(tensors: [.init(name: "0.bias", shape: [1], values: [2])]).write(to: folder + "/a")
      let bytes = [UInt8](FileManager.default.contents(atPath: folder + "/a")!)
      let header = #"{"0.bias":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#
      #expect(bytes == Self.file(header + "     ") + [0, 0, 0, 64])
      #expect(bytes[0] % 8 == 0)
    }
  }

  /// Whole numbers come first, so that they lie at multiples of 8; only PyTorch's counts of batches are read.
  @Test func counts() throws {
    try withFolder { folder in
      let values: [Float] = [2]
      try values.withUnsafeBufferPointer {
        try SafeTensors.write(
          [SafeTensors.View(name: "0.bias", shape: [1], values: $0)],
          counts: [SafeTensors.Count(name: "0.num_batches_tracked", value: 258)], to: folder + "/a")
      }
      let bytes = [UInt8](FileManager.default.contents(atPath: folder + "/a")!)
      let header =
        #"{"0.num_batches_tracked":{"dtype":"I64","shape":[],"data_offsets":[0,8]},"#
        + #""0.bias":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}"#
      let padding = String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
      #expect(bytes == Self.file(header + padding) + [2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 64])
      let read = try Self.parse(bytes)
      #expect(read["0.num_batches_tracked"] == .init(name: "0.num_batches_tracked", shape: [], values: [258]))
      #expect(read["0.bias"]?.values == [2])
    }
    let weights = #"{"0.weight":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}"#
    let error = try thrown { _ = try Self.parse(Self.file(weights, data: 8)) }
    #expect(error?.code == .badData && error?.description.contains("'I64'") == true)
  }

  /// Bytes that `safetensors.torch.save` wrote of a: F32 [1.5, −2.25], b: F16 [[1.5], [65504]],
  /// c: F64 [0.1], d: BF16 [3.140625].
  @Test func aFileOfPyTorch() throws {
    let header =
      #"{"__metadata__":{"k":"v"},"c":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},"#
      + #""a":{"dtype":"F32","shape":[2],"data_offsets":[8,16]},"#
      + #""d":{"dtype":"BF16","shape":[1],"data_offsets":[16,18]},"#
      + #""b":{"dtype":"F16","shape":[2,1],"data_offsets":[18,22]}}  "#
    let data: [UInt8] = [
      154, 153, 153, 153, 153, 153, 185, 63, 0, 0, 192, 63, 0, 0, 16, 192, 73, 64, 0, 62, 255, 123,
    ]
    let model = try Self.parse(Self.file(header) + data)
    #expect(model.tensors.map(\.name) == ["c", "a", "d", "b"])
    #expect(model["a"] == .init(name: "a", shape: [2], values: [1.5, -2.25]))
    #expect(model["b"] == .init(name: "b", shape: [2, 1], values: [1.5, 65504]))
    #expect(model["c"] == .init(name: "c", shape: [1], values: [0.1]))
    #expect(model["d"] == .init(name: "d", shape: [1], values: [3.140625]))
    #expect(model["e"] == nil)
    #expect(model.metadata == ["k": "v"])
  }

  /// (half, float), made with NumPy: zero, the subnormals' ends, the normals' ends, infinities, signs.
  @Test(arguments: [
    (0x0, 0x0), (0x1, 0x3380_0000), (0x3ff, 0x387f_c000), (0x400, 0x3880_0000), (0x3c00, 0x3f80_0000),
    (0x3555, 0x3eaa_a000), (0x7bff, 0x477f_e000), (0x7c00, 0x7f80_0000), (0xfc00, 0xff80_0000),
    (0x8000, 0x8000_0000), (0xc000, 0xc000_0000),
  ])
  func halves(half: Int, float: Int) throws {
    let header = #"{"a":{"dtype":"F16","shape":[1],"data_offsets":[0,2]}}"#
    let model = try Self.parse(Self.file(header) + [UInt8(half & 255), UInt8(half >> 8)])
    #expect(model.tensors[0].values[0].bitPattern == UInt32(float))
  }

  @Test func escapedNames() throws {
    let header =
      #" { "\u00e9\ud83d\ude00\"\\\/\b\f\n\r\t" : {"shape":[],"dtype":"F32","data_offsets":[0,4]} } "#
    #expect(try Self.parse(Self.file(header, data: 4)).tensors[0].name == "é😀\"\\/\u{8}\u{c}\n\r\t")
  }

  static func readingError(_ path: String) throws -> ExitCode? {
    try thrown { _ = try SafeTensors.read(from: path) }?.code
  }

  @Test func unreadableFiles() throws {
    try withFolder { folder throws in
      #expect(try Self.readingError(folder + "/none") == .noInput)
      #expect(try Self.readingError(folder) == .noInput)
      #expect(try Self.readingError("/dev/zero") == .noInput)
      #expect(mkfifo(folder + "/pipe", 0o600) == 0)
      #expect(try Self.readingError(folder + "/pipe") == .noInput)
      #expect(FileManager.default.createFile(atPath: folder + "/empty", contents: Data()))
      #expect(try Self.readingError(folder + "/empty") == .badData)
    }
  }

  @Test func placesThatCannotBeWritten() throws {
    try withFolder { folder in
      let missing = try thrown { try Self.model.write(to: folder + "/none/model.safetensors") }
      #expect(missing?.code == .cannotCreate)
      #expect(
        missing?.description.contains("'\(folder)/none/model.safetensors': no such file or directory") == true
      )
      // A folder stands under the name.
      try FileManager.default.createDirectory(atPath: folder + "/folder", withIntermediateDirectories: false)
      let taken = try thrown { try Self.model.write(to: folder + "/folder") }
      #expect(taken?.code == .cannotCreate)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["folder"])
    }
  }

  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full"))) func fullDisk() throws {
    let descriptor = open("/dev/full", O_WRONLY)
    defer { close(descriptor) }
    let error = try thrown {
      try [UInt8](repeating: 1, count: 9).withUnsafeBytes { try writeAll($0, to: descriptor, path: "m") }
    }
    #expect(error?.code == .inputOutput)
    #expect(
      error?.description
        == "cannot write 'm': no space left on device; free some space or write to another disk")
  }

  @Test func anAbandonedFileLeavesTheOldOne() throws {
    try withFolder { folder in
      try Self.model.write(to: folder + "/a")
      do {
        let file = try ReplacementFile(replacing: folder + "/a")
        try [UInt8](repeating: 1, count: 9).withUnsafeBytes { try file.write($0) }
      }
      #expect(try SafeTensors.read(from: folder + "/a") == Self.model)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a"])
    }
  }
}
