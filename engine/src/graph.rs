//! A checked DAG.
