"""Word lists of Indonesian names and towns."""

# ruff: noqa: SIM905 (word lists read better as words)

import random

MALE = """
Abdullah Abid Achmad Adi Aditya Afif Agus Ahmad Akbar Aldi Alif Amar Andi Arif Arya Asep Azka Bagas
Bagus Bahrul Bayu Bilal Bima Budi Candra Dani Daffa Dedi Dimas Dwi Eko Fahmi Fahri Faisal Fajar
Farhan Fathur Fauzan Fikri Galih Ghifari Gilang Habib Hafiz Haikal Hanif Haris Hasan Hendra Husain
Ibnu Ibrahim Ihsan Ilham Imam Iqbal Irfan Ismail Joko Khairul Krisna Lukman Luthfi Mahfud Malik
Misbah Muammar Muhammad Mukhlis Nabil Naufal Nizar Nur Putra Raffi Rahmat Raihan Rangga Rasyid
Reza Ridho Rifqi Rizal Rizki Rofiq Salman Satria Sholeh Syahrul Syamsul Taufik Teguh Umar Usman
Wahyu Wildan Yahya Yoga Yusuf Zaidan Zainal Zaki Zidan Zulfikar
""".split()

FEMALE = """
Adinda Afifah Aisyah Alya Amalia Amira Ana Anggun Anisa Annisa Aqila Asma Aulia Ayu Azizah Bunga
Cahya Citra Dewi Dian Dina Dwi Dzakiyah Eka Elok Endah Erna Fadhilah Farah Fatimah Fitri Fitria
Ghina Hafsah Hana Hasna Hikmah Ida Indah Intan Ira Ismi Jihan Kamila Khadijah Khairunnisa Laila
Latifah Lestari Lia Lulu Maharani Mahmudah Marwa Maryam Maulida Mawar Maya Mega Melati Mila
Munawaroh Mutiara Nabila Nadia Nafisah Naila Najwa Nina Nisa Novi Nur Nurul Puspita Putri Qonita
Rahma Ramadhani Ratna Rika Rina Rizka Rohmah Safira Salma Salsabila Sari Shofiya Silvi Siti Sri
Suci Syifa Tiara Tri Ulfah Umi Uswatun Wahyuni Wulan Yasmin Yulia Zahra Zahrotul Zakiyah Zulfa
""".split()

FAMILY = """
Abidin Afandi Alamsyah Amin Ardiansyah Arifin Asyari Aziz Bachtiar Basri Budiman Darmawan Efendi
Fadillah Fathoni Firdaus Firmansyah Gunawan Hakim Halim Hamdani Harahap Hariyanto Hasibuan Hidayat
Hidayatullah Huda Irawan Iskandar Jamaluddin Jauhari Karim Kurniawan Kusuma Lubis Mahendra Maulana
Mubarok Mustofa Muttaqin Nasution Nugraha Nugroho Pamungkas Permana Prabowo Pradana Prasetyo
Pratama Purnomo Rahman Ramadhan Ritonga Rohman Romadhon Rosyadi Saifuddin Saputra Santoso Setiawan
Siregar Solihin Subekti Sudrajat Sulaiman Suryadi Susanto Sutrisno Syafii Syahputra Tanjung
Utomo Wardana Wibowo Wicaksono Widodo Wijaya Yulianto Zainuddin Zamroni Zulkarnain
""".split()

TOWNS = """
Jombang Kediri Surabaya Malang Pasuruan Probolinggo Jember Banyuwangi Lamongan Gresik Tuban
Bojonegoro Nganjuk Blitar Tulungagung Madiun Ponorogo Sidoarjo Mojokerto Bangkalan Sampang
Pamekasan Sumenep Semarang Kudus Demak Rembang Tegal Pekalongan Magelang Surakarta Yogyakarta
Cirebon Bandung Tasikmalaya Bogor Jakarta Serang Lampung Palembang Medan Pontianak Banjarmasin
Samarinda Makassar Mataram Denpasar Kupang
""".split()


def full_name(rng: random.Random, gender: str) -> str:
    """Return a name of two or three words for `gender` "L" (male) or "P" (female)."""
    given = rng.sample(MALE if gender == "L" else FEMALE, 2)
    shape = rng.random()
    if gender == "P" and shape < 0.35:
        return " ".join(given)
    if shape < 0.75:
        return f"{given[0]} {rng.choice(FAMILY)}"
    return f"{given[0]} {given[1]} {rng.choice(FAMILY)}"
