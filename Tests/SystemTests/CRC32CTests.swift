import System
import Testing

@Suite struct CRC32CTests {
  /// RFC 3720, appendix B.4, and the usual nine digits.
  @Test func knownAnswers() {
    let readCommand: [UInt8] = [
      0x01, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x14, 0, 0, 0, 0, 0, 0x04, 0, 0, 0, 0, 0x14, 0, 0,
      0,
      0x18, 0x28, 0, 0, 0, 0, 0, 0, 0, 0x02, 0, 0, 0, 0, 0, 0, 0,
    ]
    #expect(crc32c([UInt8](repeating: 0, count: 32)) == 0x8a91_36aa)
    #expect(crc32c([UInt8](repeating: 0xff, count: 32)) == 0x62a8_ab43)
    #expect(crc32c(0..<32) == 0x46dd_794e)
    #expect(crc32c((0..<32).reversed()) == 0x113f_db5c)
    #expect(crc32c(readCommand) == 0xd996_3a56)
    #expect(crc32c("123456789".utf8) == 0xe306_9283)
    #expect(crc32c([]) == 0)
  }
}
