import DataFormats
import System
import TestSupport
import Testing

/// Kinds of files that are not read are recognised by their bytes, and the message says how to make one that is.
@Suite struct ForeignTests {
  let folder = TemporaryFolder()

  /// What the message calls each kind; names that are not here are in pickle's and joblib's families.
  private static let words: [String: String] = [
    "parquet": "a Parquet file", "feather": "an Arrow (Feather) file", "arrow stream": "an Arrow stream",
    "orc": "an ORC file", "avro": "an Avro file", "hdf5": "an HDF5 file", "hdf5 of pandas": "an HDF5 file",
    "matlab": "a MATLAB file", "matlab 7.3": "a MATLAB file (v7.3)", "netcdf": "a NetCDF file",
    "sqlite": "an SQLite database", "duckdb": "a DuckDB database", "xlsx": "an Excel workbook",
    "xls": "an old Excel workbook", "ods": "an OpenDocument spreadsheet", "rds": "saveRDS",
    "rds gzip": "saveRDS", "rdata": "R's save", "stata": "a Stata file", "stata 118": "a Stata file",
    "spss": "an SPSS file", "sas transport": "a SAS transport file", "tar": "a tar archive",
    "tar gzip": "a tar archive", "zip of two": "a zip archive", "pytorch": "torch.save", "json": "is JSON",
    "json records": "is JSON", "json values": "is JSON", "json lines": "JSON, an object a line",
    "arff": "an ARFF file", "svmlight": "svmlight", "svmlight ranking": "svmlight", "html": "a web page",
    "html after a comment": "a web page", "xhtml": "a web page", "xml": "is XML", "git lfs": "git lfs pull",
    "pdf": "a PDF", "elf": "a program", "gif": "a GIF image", "tiff": "a TIFF image", "bmp": "a BMP image",
    "webp": "a WebP image", "safetensors": "a safetensors file", "7z": "a 7-Zip archive",
    "binary": "a binary file",
  ]

  @Test(arguments: ReferenceFiles.foreignNames)
  func everyKindIsNamed(name: String) {
    let word = Self.words[name] ?? (name.hasPrefix("joblib") ? "joblib" : "pickle")
    // No name makes it another kind, unless nothing is known but the name.
    for called in ["data.csv", "data", "data.npy", "x.parquet"] where name != "binary" || called != "data.npy"
    {
      let path = folder.put(ReferenceFiles.foreign(name), to: called)
      let error = loadError(path)
      #expect(error.code == .badData && error.description.contains(word), "\(name) as \(called): \(error)")
    }
    // As validation data too, and in a pair.
    let table = folder.put("1,2\n3,4\n", to: "t.csv")
    expectError(.badData, [word], table) { [folder] in
      $0.validation = folder.put(ReferenceFiles.foreign(name), to: "v")
    }
  }

  /// As `pandas.DataFrame.to_html` and its styles write them.
  @Test(arguments: ["<table border=\"1\">\n", "<style type=\"text/css\">\n", "<div>\n"])
  func partsOfPages(text: String) {
    expectError(.badData, ["a web page"], folder.put(text + "<tr>\n<td>1</td>\n</tr>\n", to: "t.html"))
  }

  @Test func namesAreQuotedForTheShell() {
    let bytes = ReferenceFiles.foreign("parquet")
    expectError(
      .badData, ["'\(folder.path)/it'\\''s $HOME.parquet' '\(folder.path)/it'\\''s $HOME.csv'"],
      folder.put(bytes, to: "it's $HOME.parquet"))
    expectError(
      .badData, [" FILE FILE.csv", "escape\\u{1B}[31m"], folder.put(bytes, to: "escape\u{1B}[31m.parquet"))
  }

  /// Text that begins like one of them.
  @Test(arguments: [
    "[a],[b]\n1,2\n3,4\n", "<5,y\n1,2\n3,4\n", "x^2,y\n1,2\n2,3\n", "MZ,y\n1,2\n2,3\n", "BM,y\n1,2\n2,3\n",
    "ORC,y\n1,2\n2,3\n", "A,2\n1,2\n3,4\n", "CDF,y\n1,2\n2,3\n", "version,y\n1,2\n3,4\n",
    "[1],[2]\n1,2\n3,4\n",
    "1 2\n3 4\n", "Objective,y\n1,2\n3,4\n",
  ])
  func tablesStayTables(text: String) throws {
    #expect(try loadData(options(folder.put(text, to: "t.csv"))).training.count >= 2)
  }
}
