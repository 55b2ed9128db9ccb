/// The version of the program and the library.
public let version = "0.1.0"
