"""A small treebank, written for the tests."""

SAMPLE_CONLLU = """\
# text = The old cat sat on a mat.
1\tThe\tthe\tDET\t_\t_\t3\tdet\t_\t_
2\told\told\tADJ\t_\t_\t3\tamod\t_\t_
3\tcat\tcat\tNOUN\t_\t_\t4\tnsubj\t_\t_
4\tsat\tsit\tVERB\t_\t_\t0\troot\t_\t_
5\ton\ton\tADP\t_\t_\t7\tcase\t_\t_
6\ta\ta\tDET\t_\t_\t7\tdet\t_\t_
7\tmat\tmat\tNOUN\t_\t_\t4\tobl\t_\t_
8\t.\t.\tPUNCT\t_\t_\t4\tpunct\t_\t_

# text = They don't drink zyzzyvas, they eat zyzzyvas.
1\tThey\tthey\tPRON\t_\t_\t4\tnsubj:pass\t_\t_
2-3\tdon't\t_\t_\t_\t_\t_\t_\t_\t_
2\tdo\tdo\tAUX\t_\t_\t4\taux\t_\t_
3\tn't\tnot\tPART\t_\t_\t4\tadvmod\t_\t_
4\tdrink\tdrink\tVERB\t_\t_\t0\troot\t_\t_
5\tzyzzyvas\tzyzzyva\tNOUN\t_\t_\t4\tobj\t_\t_
5.1\tand\tand\tCCONJ\t_\t_\t_\t_\t_\t_
6\t,\t,\tPUNCT\t_\t_\t8\tpunct\t_\t_
7\tthey\tthey\tPRON\t_\t_\t8\tnsubj\t_\t_
8\teat\teat\tVERB\t_\t_\t4\tconj\t_\t_
9\tzyzzyvas\tzyzzyva\tNOUN\t_\t_\t8\tobj\t_\t_
10\t.\t.\tPUNCT\t_\t_\t4\tpunct\t_\t_
"""
