// Whole commands on files of every kind: compressed, from a pipe, folders of images, arrays larger than memory.
import DataFormats
import Foundation
import TestSupport
import Testing

extension JobTests {
  @Suite struct FileTests: ReproducingSuite {
    let folder = TemporaryFolder()

    private func shell(_ line: String) throws -> Outcome {
      try Child("bash", ["-c", line], environment: mpiEnvironment, directory: folder.path).wait(limit: 300)
    }

    private func hash(_ run: String) throws -> String? {
      try readMetrics(folder(run + "/metrics.jsonl")).last?.text("parameterHash")
    }

    @Test func compressedAndPipedTablesTrainAlike() throws {
      try folder.write(ReferenceFiles.compressed("plain"), to: "t.csv")
      let options = "--quiet --global-batch 10 --epochs 2 --shards 2 --output"
      let plain = try shell("\(distsgd) --data t.csv \(options) plain")
      try #require(plain.code == 0, "\(plain)")
      let expected = try #require(try hash("plain"))
      for name in ReferenceFiles.compressedNames where name != "plain" {
        try folder.write(ReferenceFiles.compressed(name), to: "t.bin")
        let run = name.replacingOccurrences(of: " ", with: "-")
        let lines = [
          "\(distsgd) --data t.bin \(options) \(run)",
          "cat t.bin | \(distsgd) --data - \(options) piped-\(run)",
          "mpirun -np 2 \(distsgd) --data - \(options) ranks-\(run) < t.bin",
        ]
        for (line, folder) in zip(lines, [run, "piped-" + run, "ranks-" + run]) {
          let outcome = try shell(line)
          #expect(try outcome.code == 0 && hash(folder) == expected, "\(line): \(outcome)")
        }
      }
      let model = "--model plain/model.safetensors"
      let (file, pipe) = (
        try shell("\(distsgd) predict \(model) --data t.csv"),
        try shell("\(distsgd) predict \(model) --data - < t.bin")
      )
      #expect(pipe.code == 0 && pipe.output == file.output && !pipe.output.isEmpty)
      let evaluated = try shell("cat t.bin | \(distsgd) evaluate \(model) --data -")
      #expect(evaluated.code == 0, "\(evaluated)")
      let both = try shell("\(distsgd) --data - --validation - < t.bin")
      #expect(
        both.code == 64 && both.errorLines.count == 1 && both.errors.contains("--validation -"), "\(both)")
    }

    /// JPEG files that differ in their quantisation, and so in their pixels.
    private func writeJPEGs(_ count: Int, to name: String) throws {
      let original = ReferenceFiles.picture("jpeg colour")
      let table = try #require(
        original.indices.dropLast(5).first { original[$0] == 0xFF && original[$0 + 1] == 0xDB })
      for class_ in ["cat", "dog", "emu", "gnu"] {
        try FileManager.default.createDirectory(
          atPath: folder("\(name)/\(class_)"), withIntermediateDirectories: true)
      }
      for number in 0..<count {
        var bytes = original
        // The steps of the mean and of the first waves.
        bytes[table + 5] = UInt8(1 + number % 4 * 5 + number / 4 % 5)
        bytes[table + 6] = UInt8(1 + number / 20 % 100)
        try folder.write(bytes, to: "\(name)/\(["cat", "dog", "emu", "gnu"][number % 4])/\(number).jpg")
      }
    }

    @Test func twoThousandJPEGsTrainOnThreeRanksWithTheBitsOfOne() throws {
      try writeJPEGs(2000, to: "train/train")
      try writeJPEGs(80, to: "train/test")
      let options = [
        "--data", "train", "--validation", "test", "--image-size", "12x20", "--model", "mlp:32", "--epochs",
        "2",
        "--log-every", "1", "--log-hashes", "--shards", "3",
      ]
      let models = try [1, 3].map { try train(options, ranks: $0, to: "run\($0)") }
      let traces = try [1, 3].map { try Trace(folder("run\($0)/metrics.jsonl")) }
      #expect(
        traces[0].hashes.count == 32 && traces[0] == traces[1],
        "\(traces[0].firstDifference(from: traces[1]))")
      let reproduced = try reproduce(models[0], ranks: 2)
      #expect(reproduced.code == 0 && reproduced.output.contains("bit for bit"), "\(reproduced)")
      // Classes are the folders' names, and one image is resized as the others were.
      let one = try shell("\(distsgd) predict --model run1/model.safetensors --data train/train/dog/1.jpg")
      #expect(one.code == 0 && one.output.hasPrefix("class,p_cat,p_dog,p_emu,p_gnu\n"), "\(one)")
      #expect(one.output.split(separator: "\n").count == 2)
      let all = try shell("\(distsgd) predict --model run1/model.safetensors --data train")
      #expect(all.output.split(separator: "\n").count == 81, "\(all)")
      let evaluated = try shell("\(distsgd) evaluate --model run1/model.safetensors --data train/test")
      #expect(evaluated.code == 0 && evaluated.output.contains("80 examples"), "\(evaluated)")
    }

    @Test func aBrokenImageIsNamedOnce() throws {
      try writeJPEGs(40, to: "set")
      try folder.write(Array(ReferenceFiles.picture("jpeg colour").dropLast(200)), to: "set/dog/21.jpg")
      let outcome = try run(ranks: 2, ["--data", folder("set"), "--output", folder("run")])
      #expect(outcome.code == 65 && outcome.errorLines.count == 1, "\(outcome)")
      #expect(outcome.errors.contains("set/dog/21.jpg is a broken JPEG file"), "\(outcome)")
    }

    /// A sparse file, whose first rows alone are not zeros.
    private func writeSparse(rows: Int, columns: Int, filled: Int) throws -> [UInt8] {
      var numbers = MadeNumbers(7)
      let x = littleEndian((0..<filled * columns).map { _ in numbers.float() })
      // NumPy puts the numbers at a multiple of 64.
      var header = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(rows), \(columns)), }"
      while (10 + header.utf8.count + 1) % 64 != 0 { header += " " }
      let head: [UInt8] =
        [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count + 1), 0] + Array((header + "\n").utf8)
        + x
      try folder.write(head, to: "x.npy")
      #expect(truncate(folder("x.npy"), off_t(head.count - x.count + 4 * rows * columns)) == 0)
      try folder.write(npy("|u1", [rows], (0..<rows).map { UInt8($0 % 3) }), to: "y.npy")
      return x
    }

    /// More than 1 GB, in less private memory than that: what is mapped is not copied, on one rank and on three.
    @Test func largeArraysStayInTheirFile() throws {
      let (rows, columns, filled) = (1_100_000, 256, 2000)
      let x = try writeSparse(rows: rows, columns: columns, filled: filled)
      try folder.write(npy("<f4", [filled, columns], x), to: "x1.npy")
      try folder.write(npy("|u1", [filled], (0..<filled).map { UInt8($0 % 3) }), to: "y1.npy")
      let options = "--quiet --model softmax --shards 4 --validation x1.npy,y1.npy"
      for (name, launch) in [("one", ""), ("three", "mpirun -np 3 ")] {
        let outcome = try shell(
          "ulimit -d 500000; exec \(launch)\(distsgd) --data x.npy,y.npy \(options) --steps 12 --output \(name)"
        )
        #expect(outcome.code == 0, "\(outcome)")
      }
      #expect(try hash("one") == hash("three"))
      // The same as examples that are copied.
      for (name, data) in [("mapped", "x.npy,y.npy --examples \(filled)"), ("copied", "x1.npy,y1.npy")] {
        let outcome = try shell("\(distsgd) --data \(data) \(options) --epochs 2 --output \(name)")
        #expect(outcome.code == 0, "\(outcome)")
      }
      let (mapped, copied) = (
        SafeTensors.metadata(of: folder("mapped/model.safetensors")),
        SafeTensors.metadata(of: folder("copied/model.safetensors"))
      )
      for key in ["parameterHash", "inputsFingerprint", "targetsFingerprint"] {
        #expect(mapped?[key] != nil && mapped?[key] == copied?[key], "\(key)")
      }
      // What must be standardised, or held out, is copied: 1.1 GB do not fit.
      for wish in ["--standardize", "--validation 0.5"] {
        let outcome = try shell("ulimit -v 900000; \(distsgd) --data x.npy,y.npy --model softmax \(wish)")
        #expect(outcome.code != 0 && outcome.errorLines.count == 1, "\(outcome)")
      }
    }

    /// A checkpoint knows a mapped file by samples: what is another file from some place on is not gone on with.
    @Test func aChangedArrayIsNotResumed() throws {
      let (rows, columns) = (1_100_000, 256)
      _ = try writeSparse(rows: rows, columns: columns, filled: 2000)
      try folder.write(
        npy("<f4", [100, columns], littleEndian([Float](repeating: 1, count: 100 * columns))), to: "x1.npy")
      try folder.write(npy("|u1", [100], (0..<100).map { UInt8($0 % 3) }), to: "y1.npy")
      let begun = try shell(
        "\(distsgd) --data x.npy,y.npy --model softmax --quiet --validation x1.npy,y1.npy --steps 5 --checkpoint-every 5 --output run"
      )
      try #require(begun.code == 0, "\(begun)")
      let same = try shell("\(distsgd) --resume run --steps 7 --quiet")
      #expect(same.code == 0, "\(same)")
      let file = try #require(FileHandle(forUpdatingAtPath: folder("x.npy")))
      try file.seek(toOffset: 700_000_000)
      file.write(Data(littleEndian([Float](repeating: 1, count: 200_000))))
      try file.close()
      let other = try shell("\(distsgd) --resume run --steps 9 --quiet")
      #expect(other.code == 65 && other.errors.contains("--accept-other-data"), "\(other)")
    }

    @Test func numbersThatAreNoneAreFoundInMappedArraysToo() throws {
      let (rows, columns) = (1_100_000, 256)
      _ = try writeSparse(rows: rows, columns: columns, filled: 1)
      let file = try #require(FileHandle(forUpdatingAtPath: folder("x.npy")))
      try file.seek(toOffset: try file.seekToEnd() - UInt64(4 * columns))
      file.write(Data(littleEndian([Float.nan])))
      try file.close()
      let outcome = try shell("\(distsgd) --data x.npy,y.npy --model softmax")
      #expect(outcome.code == 65 && outcome.errors.contains("element [\(rows - 1), 0]"), "\(outcome)")
    }
  }
}
