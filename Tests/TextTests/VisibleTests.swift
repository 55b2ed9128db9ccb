// What is written out of text that others have made.
import Foundation
import System
import Testing
import Text

@Suite struct VisibleTests {
  @Test func plainTextStaysAsItIs() {
    for text in ["", "plain", "é ○ 中文 𝛈 🙂 e\u{301} a\u{A0}b \\u{1B}", "'\"<&>"] {
      #expect(visible(text) == text)
      #expect(visible(text, keepsLines: true) == text)
    }
  }

  /// Cc, Zl, Zp and Cf of Unicode 15 (DerivedGeneralCategory.txt).
  private static let unseen: [ClosedRange<UInt32>] = [
    0...0x1F, 0x7F...0x9F, 0xAD...0xAD, 0x600...0x605, 0x61C...0x61C, 0x6DD...0x6DD, 0x70F...0x70F,
    0x890...0x891,
    0x8E2...0x8E2, 0x180E...0x180E, 0x200B...0x200F, 0x2028...0x2029, 0x202A...0x202E, 0x2060...0x2064,
    0x2066...0x206F, 0xFEFF...0xFEFF, 0xFFF9...0xFFFB, 0x110BD...0x110BD, 0x110CD...0x110CD,
    0x13430...0x1343F,
    0x1BCA0...0x1BCA3, 0x1D173...0x1D17A, 0xE0001...0xE0001, 0xE0020...0xE007F,
  ]

  @Test func everyUnseenCharacterIsWrittenOut() {
    var count = 0
    for value in UInt32(0)...0x10_FFFF {
      guard let scalar = Unicode.Scalar(value) else { continue }
      #expect(scalar.isUnseen == Self.unseen.contains { $0.contains(value) }, "U+\(String(value, radix: 16))")
      guard scalar.isUnseen else { continue }
      count += 1
      let shown = visible("a\(String(Character(scalar)))b")
      #expect(shown.utf8.allSatisfy { 0x20..<0x7F ~= $0 } && shown.hasPrefix("a\\") && shown.hasSuffix("b"))
      #expect(visible(shown) == shown, "once is enough")
    }
    #expect(count > 200)
    #expect(visible("\u{1B}[0m\r\n\u{202E}") == "\\u{1B}[0m\\r\\n\\u{202E}")
    #expect(visible("a\r\nb\n", keepsLines: true) == "a\\r\nb\n")
  }

  /// In JSON the value stays what it is.
  @Test func jsonKeepsTheValue() throws {
    let text = "\u{0}\u{1B}\u{7F}\u{9B}\u{AD}\u{202E}\u{2028}\u{E0001}\u{1D173}é🙂\"\\\n\t"
    var line = JSONLine()
    line[text] = text
    #expect(line.description.unicodeScalars.allSatisfy { !$0.isUnseen })
    let parsed = try JSONSerialization.jsonObject(with: Data(line.description.utf8)) as? [String: String]
    #expect(parsed == [text: text])
    var own = line.description
    try own.withUTF8 { bytes in
      var scanner = JSONScanner(UnsafeRawBufferPointer(bytes))
      try scanner.object { scanner, key in
        #expect(key == text)
        let value = try scanner.string()
        #expect(value == text)
      }
    }
  }

  @Test func errorsAreOneLine() {
    #expect(DistsgdError(.badData, "'a\nb\u{9B}' is wrong").description == "'a\\nb\\u{009B}' is wrong")
  }

  /// What is cut is what is shown, however much longer that is than the text.
  @Test func whatIsShownIsShort() {
    #expect(printable(String(repeating: "é", count: 40)) == String(repeating: "é", count: 40))
    #expect(printable(String(repeating: "é", count: 41)) == String(repeating: "é", count: 40) + "…")
    #expect(
      printable(String(repeating: "\u{AD}", count: 9)) == String(repeating: "\\u{00AD}", count: 5) + "…")
    let names = (0..<20).map { "\($0)" + String(repeating: "\u{AD}", count: 30) }
    #expect(listed(names).hasSuffix(" more") && listed(names).unicodeScalars.count < 400)
    #expect(listed(["a", "b"]) == "a, b" && listed((0..<14).map { "\($0)" }).hasSuffix("11 and 2 more"))
  }
}
