"""Features as files: out of this installation, and into it.

Four formats: the table as CSV or JSON, one SAEDashboard batch, Neuronpedia's folder, and a bundle
of Parquet files that brings everything back. The last two are archives; imports go part by part.
"""
