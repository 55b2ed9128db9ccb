// libjpeg-turbo, for CImages: its errors jump, which only C may see.
#pragma once
#include <stddef.h>
#include <stdio.h>
#include <jpeglib.h>
