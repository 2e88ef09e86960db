def perfetto(trace):
    return ""
