/// The version of the program and the library.
package let version = "0.1.0"
