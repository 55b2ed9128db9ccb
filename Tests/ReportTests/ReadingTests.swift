// Tests of the reader.
