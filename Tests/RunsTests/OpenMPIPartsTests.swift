// What an Open MPI has been built for, by its files.
import Foundation
import Runs
import TestSupport
import Testing

@Suite struct OpenMPIPartsTests {
  @Test(
    arguments: [
      (["mca_pmix_s2.so"], true), (["mca_pmix_ext3x.so", "mca_pmix_s1.so"], true),
      (["mca_pmix_ext3x.so", "mca_pmix_flux.so"], false), (["mca_btl_tcp.so"], nil),
    ] as [([String], Bool?)], ["openmpi", "openmpi/lib/openmpi3"])
  func oldPMI(_ parts: (names: [String], speaks: Bool?), _ place: String) throws {
    let folder = TemporaryFolder()
    #expect(OpenMPIParts.speaksOldPMI(in: folder.path) == nil)
    try FileManager.default.createDirectory(atPath: folder(place), withIntermediateDirectories: true)
    for name in parts.names { try folder.write("", to: place + "/" + name) }
    #expect(OpenMPIParts.speaksOldPMI(in: folder.path) == parts.speaks)
  }

  @Test func placeOfTheLibrary() {
    let maps = """
      55d0-55d1 r--p 00000000 fe:00 1 /usr/bin/distsgd
      7f00-7f01 r-xp 00000000 fe:00 2                    /usr/lib/x86_64-linux-gnu/libmpi_usempif08.so.40
      7f02-7f03 r-xp 00000000 fe:00 3                    /opt/open mpi/lib/libmpi.so.40.30.4
      7ffe-7fff rw-p 00000000 00:00 0                    [stack]
      """
    #expect(OpenMPIParts.folder(ofLibraryIn: maps) == "/opt/open mpi/lib")
    #expect(OpenMPIParts.folder(ofLibraryIn: "7ffe-7fff rw-p 00000000 00:00 0 [stack]") == nil)
  }
}
