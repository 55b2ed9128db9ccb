// Files of other programs, written by Tests/Reference/make_files.py.
import Foundation

/// Base64 by group and name, and the pixels of images.
public struct ReferenceFiles: Decodable, Sendable {
  public struct Pixels: Decodable, Sendable {
    /// Height, width, channels.
    public var shape: [Int]
    private var bytes: String
    public var values: [UInt8] { decoded(bytes) }
  }

  private var compressed: [String: String]
  private var arrays: [String: String]
  private var pictures: [String: String]
  private var foreign: [String: String]
  private var resized: [String: String]
  private var pixels: [String: Pixels]

  private static let all: ReferenceFiles? = {
    let path = packageFolder + "/Tests/Reference/files.json"
    return try? JSONDecoder().decode(ReferenceFiles.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
  }()

  private static func group(_ path: KeyPath<ReferenceFiles, [String: String]>) -> [String: String] {
    all?[keyPath: path] ?? [:]
  }

  public static let compressedNames = group(\.compressed).keys.sorted()
  public static let foreignNames = group(\.foreign).keys.sorted()
  public static let pictureNames = group(\.pictures).keys.sorted()
  public static let sizes = group(\.resized).keys.sorted()

  public static func compressed(_ name: String) -> [UInt8] { decoded(group(\.compressed)[name]) }
  public static func array(_ name: String) -> [UInt8] { decoded(group(\.arrays)[name]) }
  public static func foreign(_ name: String) -> [UInt8] { decoded(group(\.foreign)[name]) }
  public static func picture(_ name: String) -> [UInt8] { decoded(group(\.pictures)[name]) }
  public static func resized(_ size: String) -> [UInt8] { decoded(group(\.resized)[size]) }
  public static func pixels(_ name: String) -> Pixels? { all?.pixels[name] }
}

private func decoded(_ text: String?) -> [UInt8] {
  text.flatMap { Data(base64Encoded: $0) }.map { Array($0) } ?? []
}
