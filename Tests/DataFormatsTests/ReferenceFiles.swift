// Files of other programs, written by Tests/Reference/make_files.py.
import Foundation
import TestSupport
import Testing

/// Base64 by group and name, and the pixels of images.
struct ReferenceFiles: Decodable {
  struct Pixels: Decodable {
    /// Height, width, channels.
    var shape: [Int]
    private var bytes: String
    var values: [UInt8] { decoded(bytes) }
  }

  private var compressed: [String: String]
  private var arrays: [String: String]
  private var pictures: [String: String]
  private var foreign: [String: String]
  private var resized: [String: String]
  var pixels: [String: Pixels]

  private static let all: ReferenceFiles? = {
    let path = packageFolder + "/Tests/Reference/files.json"
    return try? JSONDecoder().decode(ReferenceFiles.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
  }()

  private static func group(_ path: KeyPath<ReferenceFiles, [String: String]>) -> [String: String] {
    all?[keyPath: path] ?? [:]
  }

  static let compressedNames = group(\.compressed).keys.sorted()
  static let foreignNames = group(\.foreign).keys.sorted()
  static let pictureNames = group(\.pictures).keys.sorted()
  static let sizes = group(\.resized).keys.sorted()

  static func compressed(_ name: String) -> [UInt8] { decoded(group(\.compressed)[name]) }
  static func array(_ name: String) -> [UInt8] { decoded(group(\.arrays)[name]) }
  static func foreign(_ name: String) -> [UInt8] { decoded(group(\.foreign)[name]) }
  static func picture(_ name: String) -> [UInt8] { decoded(group(\.pictures)[name]) }
  static func resized(_ size: String) -> [UInt8] { decoded(group(\.resized)[size]) }
  static func pixels(_ name: String) -> Pixels? { all?.pixels[name] }
}

private func decoded(_ text: String?) -> [UInt8] {
  text.flatMap { Data(base64Encoded: $0) }.map { Array($0) } ?? []
}
