// Numbers of 16 bits: all of them, and floats around all places where another becomes the nearest, against plain definitions.
import NeuralNet
import Testing

@Suite struct GradientFormatTests {
  /// The number that some bits stand for.
  private func value(_ bits: UInt16, _ format: GradientFormat) -> Float {
    format == .bf16
      ? Float(bitPattern: UInt32(bits) << 16) : Float(Float16(bitPattern: bits)) * 0x1p-10
  }

  private func unpacked(_ bits: [UInt16], _ format: GradientFormat) -> [Float] {
    var floats = [Float](repeating: 0, count: bits.count)
    format.unpack(&floats, bits, bits.count)
    return floats
  }

  private func packed(_ floats: [Float], _ format: GradientFormat) -> [UInt16] {
    var bits = [UInt16](repeating: 0, count: floats.count)
    format.pack(&bits, floats, floats.count)
    return bits
  }

  @Test(arguments: [GradientFormat.bf16, .fp16]) func allNumbers(_ format: GradientFormat) {
    let all = Array(UInt16.min...UInt16.max)
    let floats = unpacked(all, format)
    let again = packed(floats, format)
    var wrong = 0
    for (index, bits) in all.enumerated() {
      let expected = value(bits, format)
      if expected.isNaN {
        if !floats[index].isNaN || !value(again[index], format).isNaN { wrong += 1 }
      } else if floats[index].bitPattern != expected.bitPattern || again[index] != bits {
        wrong += 1
      }
    }
    #expect(wrong == 0)
  }

  /// Every number's neighbourhood: the middle between it and the next, and the floats beside that.
  @Test(arguments: [GradientFormat.bf16, .fp16]) func nearest(_ format: GradientFormat) {
    let end: UInt16 = format == .bf16 ? 0x7f80 : 0x7c00
    var floats: [Float] = []
    var expected: [UInt16] = []
    for bits in 0..<end {
      let low = Double(value(bits, format))
      // What would come after the largest counts as a number where it is rounded.
      let high = bits + 1 == end ? 2 * low - Double(value(bits - 1, format)) : Double(value(bits + 1, format))
      let middle = Float((low + high) / 2)
      let even = bits % 2 == 0 ? bits : bits + 1
      floats += [middle.nextDown, middle, middle.nextUp]
      #expect(Double(middle) == (low + high) / 2)
      expected += [bits, even, bits + 1]
    }
    #expect(packed(floats, format) == expected)
    #expect(packed(floats.map { -$0 }, format) == expected.map { $0 | 0x8000 })
    #expect(packed([.greatestFiniteMagnitude, .infinity, -.infinity], format) == [end, end, end | 0x8000])
    let none = packed([.nan, Float(bitPattern: 0x7f80_0001), Float(bitPattern: 0xffff_ffff)], format)
    #expect(none.allSatisfy { value($0, format).isNaN })
  }

  /// Sums, steps and what follows them are what they are said to be, in all lengths around those of vectors.
  @Test(arguments: [GradientFormat.bf16, .fp16]) func operations(_ format: GradientFormat) {
    for count in [0, 1, 7, 8, 15, 16, 17, 33, 100] {
      let a = (0..<count).map { Float($0 * 37 % 19 - 9) * 0.0123 }
      let b = (0..<count).map { Float($0 * 53 % 23 - 11) * 0.00077 }
      let rounded = { (x: [Float]) in unpacked(packed(x, format), format) }
      let total = rounded(zip(a, b).map { $0 + $1 })
      var (sum, added, alone) = ([Float](repeating: .nan, count: count), a, a)
      format.sum(&sum, a, b, count)
      format.add(&added, b, count)
      format.round(&alone, count)
      #expect(sum == total && added == total && alone == rounded(a))
      var (w, bits, follower) = (b, [UInt16](repeating: 0, count: count), a)
      format.step(&w, before: a, &bits, count)
      let steps = rounded(zip(b, a).map { $0 - $1 })
      #expect(bits == packed(steps, format) && w == zip(a, steps).map { $0 + $1 })
      format.follow(&follower, bits, count)
      #expect(follower == w)
    }
  }
}
