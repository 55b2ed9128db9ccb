// One PNG or JPEG file as pixels.
import CImages
import System

/// What an image file is, by its first bytes.
enum PictureFormat {
  case png, jpeg

  init?(_ bytes: UnsafeRawBufferPointer) {
    if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
      self = .png
    } else if bytes.starts(with: [0xFF, 0xD8, 0xFF]) {
      self = .jpeg
    } else {
      return nil
    }
  }
}

/// A decoded image.
package struct Picture {
  package var width: Int
  package var height: Int
  /// 1 for grey, 3 for red, green and blue.
  package var channels: Int
  /// Shape (height, width, channels).
  package var pixels: [UInt8]

  /// Decodes a file.
  ///
  /// - Throws: `badData` for what is no image, or a damaged one; `usage` where memory does not hold it.
  package init(_ bytes: UnsafeRawBufferPointer, source: String) throws(DistsgdError) {
    guard let format = PictureFormat(bytes) else {
      throw DistsgdError(
        .badData, "\(source) is no image of a kind that is read: give PNG or JPEG, or move it away")
    }
    let name = format == .png ? "PNG" : "JPEG"
    let start = bytes.bindMemory(to: UInt8.self).baseAddress
    var shape = cimages_shape()
    var message = [CChar](repeating: 0, count: Int(CIMAGES_MESSAGE))
    func broken() -> DistsgdError {
      let words = message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
      return DistsgdError(
        .badData,
        "\(source) is a broken \(name) file (\(String(decoding: words, as: UTF8.self))): copy it again, or move it away"
      )
    }
    let code =
      format == .png
      ? cimages_png_shape(start, bytes.count, &shape, &message)
      : cimages_jpeg_shape(start, bytes.count, &shape, &message)
    guard code == 0 else { throw broken() }
    width = shape.width
    height = shape.height
    channels = Int(shape.channels)
    // A row of PNG is deflated; a block of 8 × 8 of JPEG takes one bit at least.
    let most = format == .png ? InflateStream.maximumExpansion * 8 : 512
    guard width > 0, height > 0, width <= 1 << 20, height <= 1 << 20, width * height / most <= bytes.count
    else {
      throw DistsgdError(
        .badData,
        "\(source) claims \(width) × \(height) pixels, which its \(bytes.count) bytes cannot hold: copy it again, or move it away"
      )
    }
    // With an alpha channel, once more.
    try requireMemory(bytes: 8 * Double(width) * Double(height), for: source, instead: "smaller images")
    var isWhole = false
    pixels = [UInt8](unsafeUninitializedCapacity: width * height * channels) { buffer, initialized in
      isWhole =
        (format == .png
          ? cimages_png_pixels(start, bytes.count, &shape, buffer.baseAddress, &message)
          : cimages_jpeg_pixels(start, bytes.count, &shape, buffer.baseAddress, &message)) == 0
      initialized = isWhole ? buffer.count : 0
    }
    guard isWhole else { throw broken() }
    pixels.removeLast(pixels.count - width * height * channels)
  }

  init(width: Int, height: Int, channels: Int, pixels: [UInt8]) {
    (self.width, self.height, self.channels, self.pixels) = (width, height, channels, pixels)
  }

  /// Whether there is no colour in it, in whatever way it is stored.
  var isGrey: Bool {
    guard channels == 3 else { return true }
    return pixels.withUnsafeBufferPointer { pixels in
      for i in 0..<width * height {
        let red = pixels[3 * i]
        if red != pixels[3 * i + 1] || red != pixels[3 * i + 2] { return false }
      }
      return true
    }
  }

  /// Writes the image as planes, shape (channels, height, width), of 1 or 3 channels.
  ///
  /// Grey is (19595 R + 38470 G + 7471 B + 32768) / 65536, the luma of ITU-R BT.601; where R, G and B are the same it
  /// is that byte.
  func write(to planes: UnsafeMutableBufferPointer<UInt8>, channels wanted: Int) {
    let size = width * height
    pixels.withUnsafeBufferPointer { pixels in
      switch (channels, wanted) {
      case (1, _):
        for channel in 0..<wanted {
          for i in 0..<size { planes[channel * size + i] = pixels[i] }
        }
      case (_, 1):
        for i in 0..<size {
          let (r, g, b) = (UInt32(pixels[3 * i]), UInt32(pixels[3 * i + 1]), UInt32(pixels[3 * i + 2]))
          planes[i] = UInt8((19595 * r + 38470 * g + 7471 * b + 32768) >> 16)
        }
      default:
        for channel in 0..<3 {
          for i in 0..<size { planes[channel * size + i] = pixels[3 * i + channel] }
        }
      }
    }
  }
}

/// Whether a JPEG file says that it is to be turned before it is shown (EXIF tag 0x0112), which nobody does here.
func hasOrientation(_ bytes: UnsafeRawBufferPointer) -> Bool {
  var position = 2
  while position + 4 <= bytes.count, bytes[position] == 0xFF {
    let marker = bytes[position + 1]
    // Pixels begin, or something that has no length.
    if marker == 0xDA || marker == 0xD9 || (0xD0...0xD8).contains(marker) { return false }
    let length = Int(bytes[position + 2]) << 8 | Int(bytes[position + 3])
    guard length >= 2, position + 2 + length <= bytes.count else { return false }
    let segment = UnsafeRawBufferPointer(rebasing: bytes[(position + 4)..<(position + 2 + length)])
    if marker == 0xE1, segment.starts(with: [0x45, 0x78, 0x69, 0x66, 0, 0]) {
      return orientation(ofTIFF: UnsafeRawBufferPointer(rebasing: segment[6...])).map { $0 > 1 } ?? false
    }
    position += 2 + length
  }
  return false
}

/// Tag 0x0112 of the first directory.
private func orientation(ofTIFF bytes: UnsafeRawBufferPointer) -> Int? {
  guard bytes.count >= 8 else { return nil }
  let isBig = bytes[0] == 0x4D
  func number(_ offset: Int, _ size: Int) -> Int? {
    guard offset >= 0, offset + size <= bytes.count else { return nil }
    let digits = bytes[offset..<offset + size]
    return (isBig ? Array(digits) : digits.reversed()).reduce(0) { $0 << 8 | Int($1) }
  }
  guard let directory = number(4, 4), let count = number(directory, 2) else { return nil }
  for entry in 0..<count {
    guard let tag = number(directory + 2 + 12 * entry, 2) else { return nil }
    if tag == 0x0112 { return number(directory + 2 + 12 * entry + 8, 2) }
  }
  return nil
}
