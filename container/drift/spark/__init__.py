"""The kernel on Apache Spark, for windows that one process is too small for; imported only when it is used."""
