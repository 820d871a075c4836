"""The version of the distribution, which the build and every generated file read."""

VERSION = "0.1.0"
