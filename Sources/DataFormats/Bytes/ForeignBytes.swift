// Recognises the kinds of files that are not read by what they begin with.
import System

/// The kind of a file that is not read, by its first bytes (some thousand will do); nil where it may be one that is.
func foreignFile(_ start: UnsafeRawBufferPointer) -> ForeignFile? {
  let bytes = UnsafeRawBufferPointer(rebasing: start.prefix(1 << 14))
  return foreignBinary(bytes) ?? foreignText(bytes)
}

/// What a zip archive with these entries is; nil for one of arrays, or of nothing that is known.
func foreignArchive(_ names: [String]) -> ForeignFile? {
  func has(_ name: String) -> Bool { names.contains(name) }
  if names.contains(where: { $0.hasPrefix("xl/") }) { return .excel }
  if has("content.xml"), has("mimetype") { return .openDocument }
  if names.contains(where: { $0 == "data.pkl" || $0.hasSuffix("/data.pkl") }) { return .pyTorch }
  return nil
}

func isForeignArchive(_ names: [String]) -> Bool { foreignArchive(names) != nil }

private func foreignBinary(_ bytes: UnsafeRawBufferPointer) -> ForeignFile? {
  func begins(_ text: StaticString, at offset: Int = 0) -> Bool {
    begins(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount), at: offset)
  }
  func begins(_ pattern: some Collection<UInt8>, at offset: Int = 0) -> Bool {
    bytes.count >= offset + pattern.count && bytes[offset...].starts(with: pattern)
  }
  if begins("PAR1") || begins("PARE") { return .parquet }
  if begins("ARROW1") || begins("FEA1") { return .feather }
  if begins([0xFF, 0xFF, 0xFF, 0xFF]), bytes.count >= 12, bytes[7] == 0, begins([0x10, 0, 0, 0], at: 8) {
    return .arrowStream
  }
  if begins("MATLAB 7.3 MAT-file") { return .matlab73 }
  if begins("MATLAB 5.0 MAT-file") { return .matlab5 }
  if begins([0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]) {
    return contains(bytes, "PYTABLES_FORMAT_VERSION") ? .pandasHDF5 : .hdf5
  }
  if begins("CDF"), bytes.count >= 4, [1, 2, 5].contains(bytes[3]) { return .netCDF }
  if begins("SQLite format 3\0") { return .sqlite }
  if begins("DUCK", at: 8) { return .duckDB }
  if begins([0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]) { return .oldExcel }
  if begins("ORC") && (bytes.count < 4 || bytes[3] < 0x20) { return .orc }
  if begins("Obj\u{1}") { return .avro }
  if bytes.count >= 3, bytes[0] == 0x80, (2...5).contains(bytes[1]) {
    return contains(bytes, "joblib.numpy_pickle") ? .joblib : .pickle
  }
  if begins("RDX2\n") || begins("RDX3\n") || begins("RDA2\n") || begins("RDA3\n") { return .rData }
  if begins([0x58, 0x0A, 0, 0, 0, 2]) || begins([0x58, 0x0A, 0, 0, 0, 3]) || begins("A\n2\n")
    || begins("A\n3\n")
  {
    return .rds
  }
  if begins("<stata_dta>") { return .stata }
  if bytes.count > 4, (0x6E...0x73).contains(bytes[0]), [1, 2].contains(bytes[1]), bytes[2] == 1,
    bytes[3] == 0
  {
    return .stata
  }
  if begins("$FL2") || begins("$FL3") { return .spss }
  if begins([0xC2, 0xEA, 0x81, 0x60], at: 12) { return .sas }
  if begins("HEADER RECORD*******LIB") { return .sasTransport }
  if begins("%PDF-") { return .pdf }
  if begins("ustar", at: 257) { return .tar }
  if begins([0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C]) { return .sevenZip }
  if begins("Rar!\u{1A}\u{7}") { return .rar }
  if begins([0x7F, 0x45, 0x4C, 0x46]) || begins([0xCF, 0xFA, 0xED, 0xFE]) || begins([0x4D, 0x5A, 0x90, 0]) {
    return .program
  }
  if begins("GIF87a") || begins("GIF89a") { return .gif }
  if begins("II*\0") || begins("MM\0*") { return .tiff }
  if begins("RIFF"), begins("WEBP", at: 8) { return .webP }
  if begins("BM"), bytes.count >= 10, begins([0, 0, 0, 0], at: 6) { return .bmp }
  if begins("{\"", at: 8), bytes.count >= 8, bytes[4...7].allSatisfy({ $0 == 0 }) { return .safetensors }
  return nil
}

private func contains(_ bytes: UnsafeRawBufferPointer, _ word: StaticString) -> Bool {
  let pattern = UnsafeRawBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
  guard let first = pattern.first, bytes.count >= pattern.count else { return false }
  return (0...bytes.count - pattern.count).contains { offset in
    bytes[offset] == first && bytes[offset...].starts(with: pattern)
  }
}

/// Whether bytes cannot be text: some are zero, and not as those of UTF-16 or UTF-32 are, which stand in every second
/// place, or in three of four; or many are control characters.
func isBinary(_ bytes: UnsafeRawBufferPointer) -> Bool {
  let count = min(bytes.count, 1 << 14)
  var zeros = [0, 0, 0, 0]
  var controls = 0
  for (index, byte) in bytes.prefix(count).enumerated() {
    if byte == 0 {
      zeros[index & 3] += 1
    } else if byte < 9 || (14..<32).contains(byte) {
      controls += 1
    }
  }
  guard zeros.contains(where: { $0 > 0 }) else { return controls > count / 10 }
  let even = zeros[0] + zeros[2]
  let odd = zeros[1] + zeros[3]
  // Mostly of the Basic Latin block, as tables of numbers are.
  let isUTF16 = min(even, odd) == 0 && max(even, odd) > count / 8
  let isUTF32 = zeros.filter { $0 > 0 }.count == 3 && zeros.max()! > count / 8
  return !isUTF16 && !isUTF32
}
